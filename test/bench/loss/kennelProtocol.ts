import { z } from 'zod';

/** What the bench says to its Kennel node, besides `end`. */
export const kennelJob = z.object({
  number: z.number(),
  url: z.string(),
  /** The finished file's path. */
  output: z.string(),
  fallbackUrl: z.string().optional(),
  dual: z.boolean(),
});
export type KennelJob = z.infer<typeof kennelJob>;

/** What it hears, besides `ready`. */
export const kennelJobEnded = z.object({
  number: z.number(),
  /** As the command line would have ended; null when it could not even be submitted. */
  exitCode: z.number().nullable(),
  /** The recording's directory. */
  recording: z.string().optional(),
  said: z.string(),
});
export type KennelJobEnded = z.infer<typeof kennelJobEnded>;
