import { z } from 'zod';

/** What the bench says to its Kennel node. */
export const nodeOrder = z.discriminatedUnion('do', [
  /** Records until the stream ends. */
  z.object({ do: z.literal('record'), number: z.number(), url: z.string(), output: z.string() }),
  /** Wants a `NodeFigures`, of a heap that is collected first. */
  z.object({ do: z.literal('tell') }),
  z.object({ do: z.literal('end') }),
]);
export type NodeOrder = z.infer<typeof nodeOrder>;

/** What it hears. */
export const nodeNews = z.discriminatedUnion('news', [
  z.object({ news: z.literal('ready') }),
  /** The job was submitted. */
  z.object({ news: z.literal('begun'), number: z.number(), recording: z.string() }),
  /** Recorded; its file is being made. */
  z.object({ news: z.literal('recorded'), number: z.number() }),
  z.object({
    news: z.literal('ended'),
    number: z.number(),
    /** As the command line would have ended; null when it could not even be submitted. */
    exitCode: z.number().nullable(),
    said: z.string(),
  }),
  z.object({
    news: z.literal('figures'),
    heapBytes: z.number(),
    /** Timers, sockets and other things that keep a process alive, by kind. */
    resources: z.record(z.string(), z.number()),
  }),
]);
export type NodeNews = z.infer<typeof nodeNews>;
export type NodeEnded = Extract<NodeNews, { news: 'ended' }>;

/** What a process says about its inside. */
export interface Inside {
  readonly heapBytes: number;
  readonly resources: Readonly<Record<string, number>>;
}
