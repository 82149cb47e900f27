import { z } from 'zod';

/** What the bench says to its Kennel node. */
export const nodeOrder = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('record'),
    number: z.number(),
    url: z.string(),
    recorder: z.string().optional(),
    durationMs: z.number(),
    output: z.string(),
  }),
  z.object({ do: z.literal('end') }),
]);
export type NodeOrder = z.infer<typeof nodeOrder>;

/** What it hears. */
export const nodeNews = z.discriminatedUnion('news', [
  z.object({ news: z.literal('ready') }),
  z.object({
    news: z.literal('begun'),
    number: z.number(),
    jobId: z.string(),
    recording: z.string(),
  }),
  z.object({
    news: z.literal('ended'),
    number: z.number(),
    /** As the command line would have ended; null when it could not even be submitted. */
    exitCode: z.number().nullable(),
    files: z.array(z.string()),
    said: z.string(),
  }),
]);
export type NodeNews = z.infer<typeof nodeNews>;
export type NodeEnded = Extract<NodeNews, { news: 'ended' }>;
