import { z } from 'zod';

const trackCountSchema = z.object({ kind: z.enum(['video', 'audio']), packets: z.number() });
/** Packets of one track; tracks are listed video first, then in order. */
export type TrackCount = z.infer<typeof trackCountSchema>;

/** Where one track of a file with several renditions begins and ends, milliseconds. */
const trackSpanSchema = z.object({
  /** The ledger's track. */
  track: z.string(),
  kind: z.enum(['video', 'audio']),
  startMs: z.number(),
  endMs: z.number(),
  expectedStartMs: z.number(),
  expectedEndMs: z.number(),
  fits: z.boolean(),
});
export type TrackSpan = z.infer<typeof trackSpanSchema>;

export const verificationSchema = z.object({
  /** Everything below fits: only then may the segments go. */
  verified: z.boolean(),
  /** What was read from the segments, and what is in the file. */
  packets: z.object({
    source: z.array(trackCountSchema),
    file: z.array(trackCountSchema),
    equal: z.boolean(),
  }),
  /**
   * Milliseconds; `expectedMs` is the sum of the EXTINFs, or with several renditions the time in which any of them plays.
   */
  duration: z.object({
    fileMs: z.number(),
    expectedMs: z.number(),
    toleranceMs: z.number(),
    fits: z.boolean(),
  }),
  /** Whether each track stands where it must. Present when the file has several renditions. */
  spans: z.array(trackSpanSchema).exactOptional(),
  /** Sentences for people. Empty when verified. */
  complaints: z.array(z.string()),
});
export type Verification = z.infer<typeof verificationSchema>;

export const muxedFileSchema = z.object({
  /** Name below the output directory. */
  file: z.string(),
  /** The ledger's track it was made from. */
  track: z.string(),
  bytes: z.number(),
  /** SHA-256, hex. */
  checksum: z.string(),
  durationMs: z.number(),
  tracks: z.array(
    z.object({
      kind: z.enum(['video', 'audio']),
      /** The ledger's track it was made from. */
      track: z.string(),
      codec: z.string(),
      packets: z.number(),
      width: z.number().exactOptional(),
      height: z.number().exactOptional(),
      language: z.string().exactOptional(),
      name: z.string().exactOptional(),
    }),
  ),
  /** Renditions that were recorded apart and are in this file, and how their times were found to belong together. */
  companions: z.array(
    z.object({ track: z.string(), pairedBy: z.enum(['clock', 'wallClock', 'durations']) }),
  ),
  muxer: z.enum(['ffmpeg', 'mediabunny']),
  toolVersion: z.string(),
  /** Program and arguments, when it was one. */
  command: z.array(z.string()).exactOptional(),
  /** How many segments are in it. */
  segments: z.number(),
  /** What the segments have and was not wanted. */
  leftOut: z.array(z.enum(['video', 'audio'])).exactOptional(),
  /** Where stretches of its own track begin: the first of segments that follow each other, and its place in the file. */
  anchors: z.array(z.object({ epoch: z.number(), msn: z.number(), atMs: z.number() })),
  verification: verificationSchema,
  /** Muxers that were tried before, and why their result was not taken. */
  rejected: z.array(z.object({ muxer: z.string(), why: z.string() })),
});
export type MuxedFile = z.infer<typeof muxedFileSchema>;

/** A joined subtitle track: a WebVTT file beside the finished file whose times it has. */
export const sidecarSchema = z.object({
  /** Name below the output directory. */
  file: z.string(),
  /** The finished file that it belongs to. */
  of: z.string(),
  track: z.string(),
  language: z.string().exactOptional(),
  name: z.string().exactOptional(),
  bytes: z.number(),
  /** SHA-256, hex. */
  checksum: z.string(),
  cues: z.number(),
  /** Segments that it was made from. */
  segments: z.number(),
  /** Cues whose time is not in the file (nothing else was recorded then), and cues whose time could not be found. */
  outside: z.number(),
  unplaced: z.number(),
  /** It is a stream of the finished file as well. */
  muxed: z.boolean(),
});
export type Sidecar = z.infer<typeof sidecarSchema>;

/** A stored file that is not what was recorded any more, and is in no finished file. */
export const damagedSchema = z.object({
  track: z.string(),
  /** Absent for an initialisation section. */
  epoch: z.number().exactOptional(),
  msn: z.number().exactOptional(),
  /** Below the recording's directory. */
  file: z.string(),
  why: z.string(),
});
export type Damaged = z.infer<typeof damagedSchema>;

export const muxResultSchema = z.object({
  v: z.literal(2),
  /** The proof's checksum over the segments it was made from: another ledger needs another result. */
  source: z.string(),
  /** Only the sound was wanted. */
  soundOnly: z.literal(true).exactOptional(),
  files: z.array(muxedFileSchema),
  sidecars: z.array(sidecarSchema),
  damaged: z.array(damagedSchema),
  /** Tracks that are in no finished file, and why. Their segments stay. */
  unjoined: z.array(z.object({ track: z.string(), why: z.string() })),
});
export type MuxResult = z.infer<typeof muxResultSchema>;

/** Whether every file was found to be what it was made from, and nothing was left out: only then may the segments go. */
export const isVerified = (mux: MuxResult): boolean =>
  mux.files.every(({ verification }) => verification.verified) &&
  mux.damaged.length === 0 &&
  mux.unjoined.length === 0 &&
  mux.sidecars.every(({ unplaced }) => unplaced === 0);
