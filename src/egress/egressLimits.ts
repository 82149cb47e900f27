/** Every limit of the egress gate, with its unit and where the number comes from. */

/** Request line and headers, of a program as of a server, bytes. As for the native engine: nginx sends up to 32 KiB. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** How long a program may take for the head of its first request, milliseconds. They send it in one piece, over no distance. */
export const HEAD_MS_MAX = 10_000;
/** How long a connection to the outside may take, name and proxy included, milliseconds. Programs give up after 10 to 20 s. */
export const CONNECT_MS_MAX = 15_000;
/**
 * How long a connection may be silent both ways, milliseconds. Low-latency playlists are held back for some seconds, and a source
 * that has nothing for two minutes is dead by every tool's own measure; a kept connection costs a new handshake at most.
 */
export const IDLE_MS_MAX = 120_000;
/** The same once one side has said that it is finished: the other one only has to send the rest. */
export const HALF_OPEN_MS_MAX = 30_000;
/** How often silence is looked for, milliseconds. Limits are held this precisely. */
export const SWEEP_MS = 5_000;
/** Connections of one pass at once. yt-dlp fetches up to 16 fragments at once, ffmpeg a handful. */
export const CONNECTIONS_PER_PASS_MAX = 128;
/** Connections to one listener at once: of a thousand programs with four each. It bounds file descriptors. */
export const CONNECTIONS_PER_LISTENER_MAX = 4_096;
/** Connections to one origin that are kept for the next request. */
export const KEPT_PER_ORIGIN_MAX = 8;
/** Targets that a pass remembers as refused (`EgressPass.refused`). */
export const REFUSED_KEPT = 8;
/** How much the cap on bandwidth lets through at once after a pause, milliseconds of it. Shorter than anybody's buffer. */
export const BURST_MS = 250;
/** A UDP flow that was silent for so long may be taken over by another port of the program, milliseconds. SRT sends every second at least. */
export const UDP_FLOW_IDLE_MS = 1_500;
/** What the system is asked to hold of a UDP flow while this process is busy, bytes: a second at 16 Mb/s. It may give less. */
export const UDP_BUFFER_BYTES = 2 * 1024 * 1024;
/** How long a datagram may be held back by the cap on bandwidth, milliseconds: what comes later than SRT's latency (120 by default) is of no use to it. */
export const UDP_HELD_MS_MAX = 120;
