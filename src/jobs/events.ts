import { z } from 'zod';
import { JOB_STATES, OUTCOMES } from '../../machines/vocabulary.ts';
import { DISK_LEVELS } from './diskForecast.ts';

/** Version of the event schema. A field may be added within a version; none is removed or changes its meaning. */
export const EVENT_VERSION = 1;

const common = {
  v: z.literal(EVENT_VERSION),
  /** When, as an ISO 8601 date. */
  at: z.iso.datetime(),
  jobId: z.string(),
};
const evidence = z.record(z.string(), z.unknown());
const key = { track: z.string(), epoch: z.number().int(), msn: z.number().int() };

/** What `--json` prints, one object a line. */
export const eventSchema = z.discriminatedUnion('type', [
  /** A job was accepted, or an unfinished one is taken up again. */
  z.object({
    ...common,
    type: z.literal('job.accepted'),
    url: z.string(),
    resumed: z.boolean(),
    /** Ways to the stream that were given anew with a job that is taken up again: `fallbacks`, `dual`, `headers`, `proxy`. */
    changed: z.array(z.string()).optional(),
  }),
  /** A committed move of a job. */
  z.object({
    ...common,
    type: z.literal('job.moved'),
    from: z.enum(JOB_STATES),
    to: z.enum(JOB_STATES),
    cause: z.string(),
    evidence,
    attempt: z.number().int(),
    outcome: z.enum(OUTCOMES).optional(),
  }),
  /** A decision that is no move: a kill, a restart, an adoption. */
  z.object({
    ...common,
    type: z.literal('job.decided'),
    dog: z.string(),
    decision: z.string(),
    why: z.string(),
    evidence,
  }),
  /** The first playlist was accepted; what was chosen. */
  z.object({ ...common, type: z.literal('recording.started'), source: evidence }),
  z.object({
    ...common,
    ...key,
    type: z.literal('segment.stored'),
    durationMs: z.number(),
    bytes: z.number().int(),
  }),
  z.object({
    ...common,
    ...key,
    type: z.literal('segment.lost'),
    count: z.number().int(),
    cause: z.string(),
    detail: z.string(),
    durationMs: z.number(),
  }),
  z.object({
    ...common,
    type: z.literal('epoch.opened'),
    epoch: z.number().int(),
    why: z.string(),
  }),
  /**
   * When the disk will be full, as far as can be told: told when less than 30 minutes are left (`low`), less than 5
   * (`critical`), when it is (`full`), and when there is time again (`good`).
   */
  z.object({
    ...common,
    type: z.literal('disk.outlook'),
    level: z.enum(DISK_LEVELS),
    freeBytes: z.number(),
    bytesPerSecond: z.number(),
    leftMs: z.number().optional(),
  }),
  /** The job has ended. `files` are the finished media files and the manifest, absolute paths. */
  z.object({
    ...common,
    type: z.literal('job.ended'),
    state: z.enum(JOB_STATES),
    outcome: z.enum(OUTCOMES).optional(),
    verdict: z.string().optional(),
    exitCode: z.number().int(),
    files: z.array(z.string()),
    proof: z.record(z.string(), z.unknown()),
  }),
]);

export type KennelEvent = z.infer<typeof eventSchema>;

type WithoutStamp<E> = E extends KennelEvent ? Omit<E, 'v' | 'at'> : never;
/** An event as its source tells it; version and time are added by the feed. */
export type ToldEvent = WithoutStamp<KennelEvent>;

/** Hands events on to whoever listens. A listener that throws is a bug of its own and stops nobody else. */
export class EventFeed {
  readonly #listeners = new Set<(event: KennelEvent) => void>();

  subscribe(listener: (event: KennelEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param at when it happened, milliseconds since the epoch */
  tell(told: ToldEvent, at: number): void {
    const event = { ...told, v: EVENT_VERSION, at: new Date(at).toISOString() } as KennelEvent;
    for (const listen of this.#listeners) queueMicrotask(() => listen(event));
  }
}
