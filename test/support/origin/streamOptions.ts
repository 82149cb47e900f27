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
  /** A media set: a directory of `test/fixtures/media`. */
  set: z.string().default('ts'),
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
  /** Every address answers 302 first. */
  redirect: z.boolean().default(false),
  /**
   * Segment addresses carry a token that changes every `rotateMs`; each is good for `validMs` from its birth, after that
   * the segment answers 403. A playlist always has fresh ones.
   */
  tokens: z.object({ rotateMs: z.number().positive(), validMs: z.number().positive() }).optional(),
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
  faults: z.array(Fault).default([]),
});
export type StreamOptions = z.input<typeof StreamOptions>;
export type ResolvedOptions = z.output<typeof StreamOptions>;
