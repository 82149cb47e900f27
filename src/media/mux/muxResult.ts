import { z } from 'zod';

const trackCountSchema = z.object({ kind: z.enum(['video', 'audio']), packets: z.number() });
/** Packets of one track; tracks are listed video first, then in order. */
export type TrackCount = z.infer<typeof trackCountSchema>;

export const verificationSchema = z.object({
  /** Everything below fits: only then may the segments go. */
  verified: z.boolean(),
  /** What was read from the segments, and what is in the file. */
  packets: z.object({
    source: z.array(trackCountSchema),
    file: z.array(trackCountSchema),
    equal: z.boolean(),
  }),
  /** Milliseconds; `expectedMs` is the sum of the EXTINFs. */
  duration: z.object({
    fileMs: z.number(),
    expectedMs: z.number(),
    toleranceMs: z.number(),
    fits: z.boolean(),
  }),
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
      codec: z.string(),
      packets: z.number(),
      width: z.number().exactOptional(),
      height: z.number().exactOptional(),
    }),
  ),
  muxer: z.enum(['ffmpeg', 'mediabunny']),
  toolVersion: z.string(),
  /** Program and arguments, when it was one. */
  command: z.array(z.string()).exactOptional(),
  /** How many segments are in it. */
  segments: z.number(),
  verification: verificationSchema,
  /** Muxers that were tried before, and why their result was not taken. */
  rejected: z.array(z.object({ muxer: z.string(), why: z.string() })),
});
export type MuxedFile = z.infer<typeof muxedFileSchema>;

export const muxResultSchema = z.object({
  v: z.literal(1),
  /** The proof's checksum over the segments it was made from: another ledger needs another result. */
  source: z.string(),
  files: z.array(muxedFileSchema),
});
export type MuxResult = z.infer<typeof muxResultSchema>;
