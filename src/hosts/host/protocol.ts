import { z } from 'zod';
import type { Progress, RecorderExit } from '../../../machines/ports.ts';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import { LOG_LEVELS } from '../../core/log.ts';
import { programSigns } from './programSigns.ts';

/**
 * The version of what a supervisor and a recorder host say to each other: one JSON object a line over a unix socket.
 * `takeover`, `hello.protocol` and `quit` stay readable for every version, so that a supervisor can at least end a host
 * that it cannot adopt.
 */
export const PROTOCOL = 1;

/** A line may be this long: a `hello` with EXITS_KEPT_MAX exits of EVIDENCE_CHARACTERS_MAX fits, with room for recorders. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024;
/** Exits that a host keeps for a supervisor to come; the oldest is dropped, and its job's next attempt finds the same. */
export const EXITS_KEPT_MAX = 100;
/** The evidence of an exit, as JSON: enough for a dozen URLs and messages. More is cut to its beginning. */
export const EVIDENCE_CHARACTERS_MAX = 4 * 1024;

const fields = z.record(z.string(), z.unknown());

/** Loose: a field that a later version adds to the spec must reach the recorder. */
const spec: z.ZodType<JobSpec> = z.looseObject({
  url: z.string(),
  fallbacks: z.array(z.string()).exactOptional(),
  dual: z.boolean().exactOptional(),
  quality: z.array(z.string()),
  durationMs: z.number().exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
  proxy: z.string().exactOptional(),
  audio: z.array(z.string()).exactOptional(),
  audioOnly: z.boolean().exactOptional(),
  recorder: z.string().exactOptional(),
  format: z.string().exactOptional(),
  cookies: z.string().exactOptional(),
  reach: z.array(z.string()).exactOptional(),
  bytesPerSecondMax: z.number().exactOptional(),
  watch: z
    .object({ firstMediaMs: z.number().exactOptional(), staleMs: z.number().exactOptional() })
    .exactOptional(),
  subtitles: z.array(z.string()).exactOptional(),
  waitMs: z.number(),
  patienceMs: z.number(),
  output: z.string(),
  keepSegments: z.boolean(),
});

const progress = z.object({
  beats: z.number(),
  bytes: z.number(),
  advertised: z.number(),
  settled: z.number(),
  program: programSigns.exactOptional(),
}) satisfies z.ZodType<Progress>;

const exit = z.object({
  kind: z.enum(['ended', 'stopped', 'failed', 'crashed']),
  why: z.string(),
  retryable: z.boolean(),
  evidence: fields,
}) satisfies z.ZodType<RecorderExit>;

const which = { jobId: z.string().min(1), attempt: z.number() };

const runningRecorder = z.object({
  ...which,
  /** When the recording's first playlist was accepted, milliseconds since the epoch. */
  startedAt: z.number().exactOptional(),
  progress,
  killed: z.boolean(),
});
export type RunningRecorder = z.infer<typeof runningRecorder>;

const keptExit = z.object({ ...which, killed: z.boolean(), exit });
export type KeptExit = z.infer<typeof keptExit>;

const toHost = z.discriminatedUnion('type', [
  /** First line of a connection: its sender is the supervisor from here on, and an earlier one is told to let go. */
  z.object({ type: z.literal('takeover'), protocol: z.number(), pid: z.number() }),
  z.object({
    type: z.literal('start'),
    job: z.object({ id: z.string().min(1), attempt: z.number(), spec }),
    directory: z.string().min(1),
  }),
  z.object({ type: z.literal('stop'), jobId: z.string(), why: z.string() }),
  z.object({ type: z.literal('kill'), jobId: z.string(), why: z.string() }),
  /** The exit of this attempt was heard and need not be kept. */
  z.object({ type: z.literal('acknowledge'), ...which }),
  z.object({ type: z.literal('ping') }),
  /** Let go of all recordings, leave them resumable, and exit. */
  z.object({ type: z.literal('quit') }),
]);
export type ToHost = z.infer<typeof toHost>;

const toSupervisor = z.discriminatedUnion('type', [
  /** The answer to `takeover`. */
  z.object({
    type: z.literal('hello'),
    protocol: z.number(),
    hostId: z.string(),
    pid: z.number(),
    startedAt: z.number(),
    recorders: z.array(runningRecorder),
    /** Exits that nobody has acknowledged yet, oldest first. */
    exits: z.array(keptExit),
  }),
  z.object({ type: z.literal('started'), ...which, at: z.number() }),
  /** About once a second, and for programs twice, while somebody listens. */
  z.object({
    type: z.literal('progress'),
    recorders: z.array(z.object({ ...which, progress })),
  }),
  z.object({ type: z.literal('exited'), ...which, killed: z.boolean(), exit }),
  z.object({
    type: z.literal('log'),
    level: z.enum(LOG_LEVELS),
    message: z.string(),
    fields,
  }),
  z.object({ type: z.literal('pong') }),
  /** The host goes (a signal, an order): the exits of all its recorders follow, and it takes no more. */
  z.object({ type: z.literal('quitting'), why: z.string() }),
  /** Another supervisor has taken over this host: it is not yours any more, and nothing that it does is. */
  z.object({ type: z.literal('superseded'), byPid: z.number() }),
]);
export type ToSupervisor = z.infer<typeof toSupervisor>;
export type Hello = Extract<ToSupervisor, { type: 'hello' }>;

/** A hello of any version: enough to recognise the host and to send it away. */
const anyHello = z.looseObject({ type: z.literal('hello'), protocol: z.number() });

/** Throws (SyntaxError, ZodError) for a line that is not a message to a host. */
export const parseToHost = (line: string): ToHost => toHost.parse(JSON.parse(line));

/**
 * Throws (SyntaxError, ZodError) for a line that is not a message to a supervisor. The hello of another protocol version
 * comes back as `foreign`.
 */
export function parseToSupervisor(
  line: string,
): ToSupervisor | { readonly type: 'foreign'; readonly protocol: number } {
  const json: unknown = JSON.parse(line);
  const hello = anyHello.safeParse(json);
  if (hello.success && hello.data.protocol !== PROTOCOL) {
    return { type: 'foreign', protocol: hello.data.protocol };
  }
  return toSupervisor.parse(json);
}

export const writeMessage = (message: ToHost | ToSupervisor): string =>
  `${JSON.stringify(message)}\n`;

/** The exit with its evidence cut to what one message may carry. Evidence that is no JSON is replaced by a word on it. */
export function boundedExit(full: RecorderExit): RecorderExit {
  let text: string;
  try {
    text = JSON.stringify(full.evidence);
  } catch (error) {
    // A cycle or a bigint in the evidence is a fault of the recorder; it must not cost the exit.
    return { ...full, evidence: { unreadable: String(error) } };
  }
  if (text.length <= EVIDENCE_CHARACTERS_MAX) return full;
  return { ...full, evidence: { cut: text.slice(0, EVIDENCE_CHARACTERS_MAX) } };
}
