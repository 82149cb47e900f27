import { z } from 'zod';
import { streamedEvent } from '../jobs/streamedEvent.ts';

/** A field may be added within a version; none is removed or changes its meaning. */
export const CONTROL_VERSION = 1;

/** Postgres stores neither NUL nor lone surrogates. */
const text = (charactersMax: number) =>
  z
    .string()
    .min(1)
    .max(charactersMax)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must be well-formed text');

/** Chosen by whoever asks; the answer has the same. */
export const RequestId = text(64);
const JobId = z.uuid();

const common = {
  /** In the first message of a session, which says what it speaks. */
  v: z.literal(CONTROL_VERSION).optional(),
  id: RequestId,
};

/** What may be asked. */
export const controlRequest = z.discriminatedUnion('type', [
  /** Ends the job now; what is on disk stays. */
  z.strictObject({ ...common, type: z.literal('kill'), jobId: JobId, version: z.int().optional() }),
  /** Ends the job well. */
  z.strictObject({ ...common, type: z.literal('stop'), jobId: JobId, version: z.int().optional() }),
  /** How a job is; without one, how the newest unfinished jobs are. */
  z.strictObject({ ...common, type: z.literal('status'), jobId: JobId.optional() }),
  /** Events from now on, or after a place. They come under the id of this request. */
  z.strictObject({
    ...common,
    type: z.literal('subscribe'),
    jobId: JobId.optional(),
    types: z.array(text(64)).max(32).optional(),
    after: text(64).optional(),
  }),
  /** Ends what the request with the id `subscription` began. */
  z.strictObject({ ...common, type: z.literal('unsubscribe'), subscription: RequestId }),
  z.strictObject({ ...common, type: z.literal('ping') }),
]);
export type ControlRequest = z.infer<typeof controlRequest>;

/** The same shape as the API's failures. */
export const controlError = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
  request_id: z.string(),
});
export type ControlError = z.infer<typeof controlError>;

const job = z.record(z.string(), z.unknown());

/** What is said. Every request is answered once, by a message of any type but `event`. */
export const controlMessage = z.discriminatedUnion('type', [
  /** Done. With the job as it is now, after `kill` and `stop`; with the place that events come after, after `subscribe`. */
  z.object({
    id: RequestId,
    type: z.literal('ack'),
    job: job.optional(),
    place: z.string().optional(),
  }),
  /** Not done. Without an id: what was sent could not be read so far. */
  z.object({ id: RequestId.nullable(), type: z.literal('error'), error: controlError }),
  z.object({ id: RequestId, type: z.literal('status'), jobs: z.array(job) }),
  z.object({ id: RequestId, type: z.literal('pong'), v: z.literal(CONTROL_VERSION) }),
  /** Under the id of the request that subscribed. `stream.closed` is the last. */
  z.object({ id: RequestId, type: z.literal('event'), event: streamedEvent }),
]);
export type ControlMessage = z.infer<typeof controlMessage>;

/** Why a session is closed, as WebSockets say it (RFC 6455, 7.4; 4000 and up are an application's own). */
export const CLOSE_CODES = {
  /** The service ends. */
  ends: 1001,
  /** What came is not the protocol: the first message without a version that is spoken here, or no text. */
  notUnderstood: 1002,
  tooLarge: 1009,
  /** Whoever is there does not read. */
  tooSlow: 4008,
  /** The key was revoked, or has expired. */
  denied: 4001,
  idle: 4000,
} as const;
export type CloseReason = keyof typeof CLOSE_CODES;
