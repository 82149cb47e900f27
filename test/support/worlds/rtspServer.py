"""An RTSP server for tests: MPEG-TS on standard input becomes rtsp://127.0.0.1:PORT/show, over TCP and UDP.

Debian: python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good
"""
import os
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PACKET_BYTES = 188
READ_BYTES = PACKET_BYTES * 64
LAUNCH = (
    "( appsrc name=show is-live=true format=time do-timestamp=true"
    " caps=video/mpegts,systemstream=true,packetsize=188"
    " ! tsparse set-timestamps=true ! tsdemux name=demux latency=100"
    " demux. ! queue ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 aggregate-mode=zero-latency"
    " demux. ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 )"
)


class Show:
    """Reads standard input all the time, and hands it to whoever plays: nobody makes the publisher wait."""

    def __init__(self):
        self.sources = set()
        self.lock = threading.Lock()

    def configure(self, _factory, media):
        source = media.get_element().get_by_name("show")
        with self.lock:
            self.sources.add(source)
        media.connect("unprepared", lambda _media: self.forget(source))

    def forget(self, source):
        with self.lock:
            self.sources.discard(source)

    def read(self):
        rest = b""
        while True:
            piece = os.read(0, READ_BYTES)
            if not piece:
                os._exit(0)
            rest += piece
            whole = len(rest) - len(rest) % PACKET_BYTES
            if whole == 0:
                continue
            with self.lock:
                sources = list(self.sources)
            for source in sources:
                source.emit("push-buffer", Gst.Buffer.new_wrapped(rest[:whole]))
            rest = rest[whole:]


def main():
    Gst.init(None)
    show = Show()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH)
    factory.set_shared(True)
    factory.set_latency(100)
    factory.connect("media-configure", show.configure)
    server.get_mount_points().add_factory("/show", factory)
    server.attach(None)
    threading.Thread(target=show.read, daemon=True).start()
    print("READY", flush=True)
    GLib.MainLoop().run()


main()
