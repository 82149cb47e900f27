import type { RTCDataChannel, RTCPeerConnection } from 'werift';
import { CONTROL_LIMITS } from '../../control/controlLimits.ts';
import type { ControlTransport } from '../../control/controlTransport.ts';
import { KennelError, systemCodeOf } from '../../core/errors.ts';

/** What is used of werift, the WebRTC of Node that Kennel can do without. */
export interface WebRtc {
  readonly RTCPeerConnection: typeof RTCPeerConnection;
}
export type Peer = RTCPeerConnection;

export interface RtcAddresses {
  /** First and last UDP port that may be used; absent: any that is free. */
  readonly ports?: readonly [number, number];
  /** Addresses besides those of the network interfaces, e.g. that of loopback. */
  readonly addresses?: readonly string[];
}

/** @throws KennelError `tool.missing` when it is not installed */
export async function loadWebRtc(): Promise<WebRtc> {
  try {
    return await import('werift');
  } catch (error) {
    if (systemCodeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new KennelError(
      'tool.missing',
      'WebRTC is not installed: npm install werift, or control by WebSocket (GET /api/v1/control)',
      { cause: error, details: { package: 'werift' } },
    );
  }
}

/**
 * The side that is reachable (ICE-lite, RFC 8445): it tells its addresses and waits for checks; no other server is asked what
 * they are.
 */
export const openPeer = (webRtc: WebRtc, { ports, addresses }: RtcAddresses): Peer =>
  new webRtc.RTCPeerConnection({
    iceServers: [],
    iceLite: true,
    iceUseTcp: false,
    maxMessageSize: CONTROL_LIMITS.messageBytesMax,
    ...(ports && { icePortRange: [...ports] as [number, number] }),
    ...(addresses && { iceAdditionalHostAddresses: [...addresses] }),
  });

/** The answer with all addresses in it, since there is no second message to tell them by. */
export async function answerOf(peer: Peer, offer: string): Promise<string> {
  try {
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    await peer.setLocalDescription(await peer.createAnswer());
  } catch (error) {
    throw new KennelError('request.invalid', 'the offer cannot be answered', { cause: error });
  }
  const { localDescription } = peer;
  if (localDescription === null) throw new Error('a description that was set is not there');
  return localDescription.sdp;
}

/** Events wait while more than this is on its way, bytes: a few messages. */
const UNSENT_BYTES_LOW = 16 * 1024;

/** @param closePeer the channel's connection has no other purpose */
export function channelTransport(channel: RTCDataChannel, closePeer: () => void): ControlTransport {
  channel.bufferedAmountLowThreshold = UNSENT_BYTES_LOW;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  channel.bufferedAmountLow.subscribe(wake);
  channel.stateChanged.subscribe((state) => {
    if (state === 'closed') wake();
  });
  return {
    send: async (text) => {
      if (channel.readyState !== 'open') return;
      channel.send(text);
      if (channel.bufferedAmount > UNSENT_BYTES_LOW)
        await new Promise<void>((resolve) => waiting.add(resolve));
    },
    unsentBytes: () => channel.bufferedAmount,
    // Data channels have no codes: what was wrong was said in a message.
    close: closePeer,
  };
}
