import { z } from 'zod';
import type { GapCause, LedgerRecord } from './record.ts';

const time = z.number();
const whole = z.number().int().nonnegative();
/** Tracks are part of the proof's checksum text, so they may hold neither blanks nor line ends. */
const track = z.string().regex(/^[\w.:-]{1,64}$/);
const checksum = z.string().regex(/^[0-9a-f]{64}$/);
/** Below the recording's directory: neither absolute nor through a parent. */
const file = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'));
const facts = z.record(z.string(), z.unknown());
const key = { track, epoch: whole, msn: whole };

const gapCause = z.custom<GapCause>(
  (cause) =>
    typeof cause === 'string' &&
    /^(?:window\.slid|http\.\d{3}|timeout|network|invalid|truncated|marked|disk|recorder\.down|skipped|stopped)$/.test(
      cause,
    ),
);

/** Checks a journal line's content. Unknown fields are dropped; an unknown kind of line is refused. */
export const recordSchema = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('recording'),
    v: z.literal(1),
    checksums: z.enum(['blake3', 'sha256']).exactOptional(),
    jobId: z.string().min(1),
    at: time,
  }),
  z.object({
    t: z.literal('attempt'),
    attempt: whole,
    at: time,
    recorder: z.string(),
    pid: whole,
  }),
  z.object({
    t: z.literal('started'),
    at: time,
    boot: z.object({ boot: z.string(), ms: time }).exactOptional(),
    source: facts,
  }),
  z.object({
    t: z.literal('epoch'),
    epoch: whole,
    track,
    at: time,
    why: z.enum(['first', 'reset', 'relabelled', 'jump', 'variant', 'source', 'program']),
    first: whole.exactOptional(),
    source: whole.exactOptional(),
  }),
  z.object({ t: z.literal('init'), init: whole, track, file, bytes: whole, checksum }),
  z.object({
    t: z.literal('segment'),
    ...key,
    at: time,
    durationMs: z.number(),
    bytes: whole,
    checksum,
    file,
    container: z.enum(['ts', 'fmp4', 'packed', 'webvtt']),
    discontinuity: whole,
    init: whole.exactOptional(),
    wallClock: time.exactOptional(),
    source: whole.exactOptional(),
  }),
  z.object({
    t: z.literal('gap'),
    ...key,
    at: time,
    count: z.number().int().positive(),
    cause: gapCause,
    detail: z.string(),
    durationMs: z.number(),
    estimated: z.literal(true).exactOptional(),
  }),
  z.object({
    t: z.literal('mark'),
    ...key,
    at: time,
    kind: z.enum(['daterange', 'cue', 'scte35']),
    tag: z.string().min(1),
    value: z.string(),
    id: z.string().exactOptional(),
    startsAt: time.exactOptional(),
    durationMs: z.number().exactOptional(),
  }),
  z.object({
    t: z.literal('ended'),
    at: time,
    why: z.enum([
      'endlist',
      'duration',
      'stopped',
      'source.vanished',
      'source.idle',
      'source.ended',
    ]),
    evidence: facts,
  }),
]) satisfies z.ZodType<LedgerRecord>;
