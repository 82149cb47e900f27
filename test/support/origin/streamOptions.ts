import { z } from 'zod';
import { Fault } from './faults.ts';

/** From segment `at` on, `set` is played from its beginning: another resolution, codec, or EXT-X-MAP. */
const Switch = z.object({ at: z.number().int().positive(), set: z.string() });

export const Renumber = z.object({
  kind: z.enum(['reset', 'relabel', 'jump']),
  at: z.number().int().positive(),
  to: z.number().int().min(0),
});

/** One live stream of the origin. Plain JSON, so that the standalone origin takes the same. */
export const StreamOptions = z.object({
  /** A media set: a directory of `test/fixtures/media`, or one derived from it, such as `ts-audio` (see derivedSet.ts). */
  set: z.string().default('ts'),
  /** Streams that name the same clock begin together. Default: a clock of its own. */
  clock: z.string().optional(),
  /** Its clock waits for the first request for a playlist. */
  startsOnRequest: z.boolean().default(false),
  /** The door (see door.ts) through which `Origin.playlistUrl` leads to it. All doors lead to all streams. */
  door: z.string().optional(),
  /** How many times faster than real time segments appear. */
  rate: z.number().positive().default(1),
  /** Segments in the playlist; `all` never drops one. */
  window: z.number().int().positive().or(z.literal('all')).default(6),
  /** Segments that are there when the stream starts. Default: one window, but no more than 6. */
  prefill: z.number().int().min(0).optional(),
  /** false: the stream ends with its set. true: the set starts over behind an EXT-X-DISCONTINUITY, numbers go on. */
  loop: z.boolean().default(true),
  /** Media sequence number of the first segment. */
  startSequence: z.number().int().min(0).default(0),
  /** ENDLIST after so many segments. */
  endAfter: z.number().int().positive().optional(),
  /** The whole set at once, EXT-X-PLAYLIST-TYPE:VOD. */
  vod: z.boolean().default(false),
  /** EXT-X-PROGRAM-DATE-TIME: that of segment 0 in milliseconds since the epoch, or true for the moment of the start. */
  programDateTime: z.number().or(z.boolean()).default(false),
  /** Indexes before which EXT-X-DISCONTINUITY stands although the media goes on. */
  discontinuities: z.array(z.number().int().positive()).default([]),
  switches: z.array(Switch).default([]),
  renumberings: z.array(Renumber).default([]),
  /**
   * `index`: a segment's address never changes and is never used again. `sequence`: it is the media sequence number, so
   * that an encoder's restart uses addresses again for other media.
   */
  names: z.enum(['index', 'sequence']).default('index'),
  /** Playlists are sent with `Content-Encoding: gzip` to whoever accepts it. */
  gzip: z.boolean().default(false),
  /** The same with Brotli, which is preferred where both are accepted. */
  brotli: z.boolean().default(false),
  /** Playlists are sent so to everybody, as misconfigured caches do. */
  encodesUnasked: z.boolean().default(false),
  /** Every address answers 302 first; a number for that many times. */
  redirect: z.boolean().or(z.number().int().positive()).default(false),
  /**
   * Segment addresses carry a token that changes every `rotateMs`; each is good for `validMs` from its birth, after that
   * the segment answers 403. A playlist always has fresh ones.
   */
  tokens: z.object({ rotateMs: z.number().positive(), validMs: z.number().positive() }).optional(),
  /**
   * The media playlist's own address carries a pass that is good for `validMs`, after that it answers 403. Every answer with
   * the master playlist mints a fresh one.
   */
  passes: z.object({ validMs: z.number().positive() }).optional(),
  /** The playlist sets a cookie, without which everything else answers 403. */
  cookies: z.boolean().default(false),
  /** A cache that lags: every so many playlists, one is `behind` segments old. */
  stale: z
    .object({
      behind: z.number().int().positive(),
      every: z.number().int().positive().default(2),
    })
    .optional(),
  /** Encrypted segments, for MPEG-TS sets. A derived IV is that of the segment's first number. */
  encryption: z
    .object({
      method: z.enum(['AES-128', 'SAMPLE-AES']).default('AES-128'),
      rotateEvery: z.number().int().positive().default(1_000_000),
      explicitIv: z.boolean().default(false),
    })
    .optional(),
  /** All segments are ranges of one ever growing file. */
  byteRanges: z.boolean().default(false),
  /** Indexes that are marked EXT-X-GAP and answer 404. */
  gaps: z.array(z.number().int().min(0)).default([]),
  /** Indexes that carry the media of the segment before them once more, under a name and number of their own. */
  repeats: z.array(z.number().int().positive()).default([]),
  /** Lines before a segment, such as `EXT-X-CUE-OUT:30` or an EXT-X-DATERANGE, without their `#`. */
  marks: z.array(z.object({ at: z.number().int().min(0), line: z.string() })).default([]),
  /**
   * Segment addresses hold a variable (EXT-X-DEFINE) that the playlist defines itself, imports from its master, or takes from
   * its own address; they are found in that folder only.
   */
  define: z.enum(['value', 'import', 'query']).optional(),
  /** Low latency: parts are listed, and reloads may wait. For MPEG-TS sets. */
  lowLatency: z
    .object({
      /** Duration of a part: divides that of a segment. */
      partMs: z.number().int().positive().default(250),
      /** CAN-BLOCK-RELOAD: `_HLS_msn` and `_HLS_part` hold the answer back. */
      blocks: z.boolean().default(true),
      /** CAN-SKIP-UNTIL: `_HLS_skip` leaves out what is older than this, milliseconds. */
      skipUntilMs: z.number().positive().optional(),
    })
    .optional(),
  faults: z.array(Fault).default([]),
});
export type StreamOptions = z.input<typeof StreamOptions>;
export type ResolvedOptions = z.output<typeof StreamOptions>;
