/**
 * Every limit of the transport, with its unit and where the number comes from. Each is hit by a test in
 * `test/unit/hls/transportLimits.test.ts` or beside the part that it guards.
 */

/** Status line and headers of one answer, bytes. Node's own limit is 16 KiB; nginx sends up to 32. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** Header lines of one answer. Python's client takes 100 and HTTP/2 in Node 128; more are made to waste our time. */
export const HEADER_LINES_MAX = 256;
/** The trailer section of a chunked body, bytes. As much as a head: it has the same grammar. */
export const TRAILER_BYTES_MAX = 64 * 1024;
/** One chunk-size line with its extensions, bytes. A size needs 13 at most; RFC 9112 §7.1.1 asks for a limit. */
export const CHUNK_LINE_BYTES_MAX = 4 * 1024;
/** All chunk extensions of one body, bytes: nobody uses them. Node's limit is the same (CVE-2024-22019). */
export const CHUNK_EXTENSION_BYTES_MAX = 16 * 1024;
/** Interim (1xx) answers before the real one. A 103 or two are usual; curl gives up at a similar number. */
export const INTERIM_ANSWERS_MAX = 16;

/** The body of an answer that is not 2xx is read to its end up to here, bytes, to keep the connection. Error pages are shorter. */
export const IGNORED_BODY_BYTES_MAX = 64 * 1024;
/**
 * Bodies by what they are, bytes. A playlist of a day in 2 s segments with long tokens is 10 MB. A segment of 10 s at
 * 400 Mb/s is 500 MB. An initialisation section holds tables, not media: megabytes only with fonts or pictures in it. An
 * AES-128 key is 16 bytes; what a server says instead of one is worth reading up to here.
 */
export const BODY_BYTES_MAX = {
  playlist: 16 * 1024 * 1024,
  segment: 512 * 1024 * 1024,
  init: 16 * 1024 * 1024,
  key: 4 * 1024,
} as const;

/** Redirects of one request. From session to edge to token host is three; more than five is a loop. */
export const REDIRECTS_MAX = 5;
/** A `Location` may not be longer, bytes: signed links stay below 4 KiB, and nginx reads request lines of 8 KiB by default. */
export const LOCATION_BYTES_MAX = 16 * 1024;

/**
 * How long a connection is kept without a request, milliseconds. Live playlists are asked for every few seconds, and most
 * servers keep a connection 5 to 75 s: longer only makes it stale.
 */
export const IDLE_SOCKET_MS = 15_000;
/** How long before its server closes it a kept connection is given up, milliseconds: a request may be on its way by then. */
export const IDLE_SOCKET_MARGIN_MS = 1_000;
/**
 * A connection is not used again after so long, milliseconds. The names of content networks are good for 20 to 300 s: a
 * connection that is used for ever would stay with an edge that everybody was asked to leave.
 */
export const CONNECTION_AGE_MS_MAX = 300_000;
/**
 * Connections to one origin at once. Enough for 200 streams of one origin at three segments and one poll each; it bounds file
 * descriptors, not politeness. One costs about 20 KB over TCP and 170 KB over TLS (measured with 500).
 */
export const SOCKETS_PER_ORIGIN = 1024;
/** Silence on a socket before the system asks the other side whether it is still there, milliseconds. Linux waits two hours. */
export const KEEP_ALIVE_PROBE_MS = 15_000;
/** TLS sessions that are kept for resumption, one an origin. Each is 1 to 4 KB. */
export const TLS_SESSIONS_MAX = 256;

/** How long a client with all its connections to one origin is kept without a request, milliseconds. */
export const UNUSED_CLIENT_MS = 60_000;
/** How long undici itself lets a connection take, milliseconds: a bound for what nobody waits for any more. */
export const CONNECT_MS_MAX = 30_000;

/** How long an origin stays with the client that could be understood, milliseconds. Then the lean one is tried once more. */
export const CLIENT_KEPT_MS = 600_000;
/** How long a fallback that did not help is not tried again, milliseconds: a broken origin is not asked everything twice. */
export const FALLBACK_PAUSE_MS = 60_000;
/** Origins that are remembered for that. The one that was asked least recently is forgotten. */
export const ORIGINS_REMEMBERED_MAX = 1024;

/** Cookies of one job. Browsers keep 3000 for everybody, and 50 to 180 for one host; players meet a handful. */
export const COOKIES_MAX = 300;
/** One `Set-Cookie`, bytes (RFC 6265 §6.1: at least 4096 for name, value and attributes). */
export const COOKIE_BYTES_MAX = 4 * 1024;
/** The `Cookie` header that is sent, bytes: beyond it most servers answer 400 (nginx and Apache take 8 KiB a line). */
export const COOKIE_HEADER_BYTES_MAX = 8 * 1024;
