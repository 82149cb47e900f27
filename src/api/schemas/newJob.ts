import { z } from 'zod';
import type { Submission } from '../../jobs/operations.ts';
import { InstantGiven } from './instant.ts';
import { text } from './text.ts';

/** Links with signed tokens stay below 8 KiB, and so do paths. */
const LINE_CHARACTERS_MAX = 16 * 1024;
/** A year: what is longer is meant to have no end. */
const SECONDS_MAX = 366 * 24 * 3_600;
const HEADERS_MAX = 64;
const LABELS_MAX = 32;
const ALLOW_MAX = 64;
const FALLBACKS_MAX = 8;
/** The text of a cookie file: as much as browsers keep for one site, and more. */
const COOKIES_CHARACTERS_MAX = 1024 * 1024;

const Line = text(LINE_CHARACTERS_MAX);
const Seconds = z.number().min(0).max(SECONDS_MAX);
const SomeSeconds = z.number().min(0.001).max(SECONDS_MAX);

const few = (max: number) => (given: object) => Object.keys(given).length <= max;

export const Labels = z
  .record(text(100).min(1), text(500))
  .refine(few(LABELS_MAX), `at most ${LABELS_MAX}`)
  .meta({ description: 'To find the job by again' });

export const Retry = z
  .strictObject({
    attempts: z.number().int().min(0).max(100).meta({ description: 'Tries after the first one' }),
    delaySeconds: Seconds.default(60).meta({
      description: 'Before the first of them; doubled each time, up to an hour',
    }),
  })
  .meta({ id: 'RetryTerms' });

/** What is to be recorded, in the words of the command line. */
export const RequestFields = {
  url: Line.min(1).meta({
    description: 'The link to record',
    example: 'https://example.org/live.m3u8',
  }),
  fallbacks: z.array(Line).max(FALLBACKS_MAX).optional(),
  dual: z.boolean().optional().meta({ description: 'Record all links at once' }),
  quality: Line.optional().meta({ description: 'Wishes in order, such as `720p,best`' }),
  audio: Line.optional().meta({ description: '`default`, `all`, or languages and names' }),
  audioOnly: z.boolean().optional(),
  subtitles: Line.optional().meta({ description: '`all`, `none`, or languages and names' }),
  recorder: Line.optional().meta({ description: '`native`, `ffmpeg`, `yt-dlp`, `streamlink`' }),
  format: Line.optional().meta({ description: "As yt-dlp's -f takes it" }),
  headers: z.record(text(200), Line).refine(few(HEADERS_MAX), `at most ${HEADERS_MAX}`).optional(),
  cookies: text(COOKIES_CHARACTERS_MAX)
    .optional()
    .meta({ description: 'The text of a Netscape cookie file' }),
  proxy: Line.optional(),
  allow: z
    .array(Line)
    .max(ALLOW_MAX)
    .optional()
    .meta({ description: 'Private addresses that may be reached; admins only' }),
  bytesPerSecondMax: z.number().min(1).max(1e12).optional(),
  waitSeconds: Seconds.optional().meta({ description: 'For a stream that is not there yet' }),
  patienceSeconds: Seconds.optional().meta({ description: 'With a source that is silent' }),
  firstMediaSeconds: SomeSeconds.optional(),
  staleAfterSeconds: SomeSeconds.optional(),
  output: Line.optional().meta({
    description: "A file, or a directory with a slash behind, below the tenant's directory",
  }),
  keepSegments: z.boolean().optional(),
} as const;

/** How it stands in the queue. */
export const TermFields = {
  priority: z.number().int().min(-100).max(100).optional(),
  mayWait: z
    .boolean()
    .optional()
    .meta({ description: 'Whether it may wait for room. If not: 503 where there is none' }),
  retry: Retry.optional(),
  labels: Labels.optional(),
  allowDuplicate: z
    .boolean()
    .optional()
    .meta({ description: 'Although another unfinished job records the same' }),
} as const;

export const NewJob = z
  .strictObject({
    ...RequestFields,
    durationSeconds: SomeSeconds.optional().meta({
      description: 'From the first accepted media. Absent: until the stream ends',
    }),
    endAt: InstantGiven.optional().meta({ description: 'When to end at the latest' }),
    ...TermFields,
    startAt: InstantGiven.optional().meta({ description: 'When it may begin' }),
    expiresAt: InstantGiven.optional().meta({ description: 'When waiting is over' }),
    callback_url: Line.optional().meta({
      description: 'Told of everything that happens to this job, as a webhook',
    }),
    callback_secret: text(200).optional().meta({
      description: 'What is signed with there, `whsec_…`. Absent: a new one, told in the answer',
    }),
  })
  .meta({ id: 'NewJob' });

const ms = (seconds: number) => Math.round(seconds * 1_000);

type Given = z.infer<typeof NewJob>;

/** What is asked for, in the terms of the use cases. */
export function submissionOf(given: Given): Pick<Submission, 'request' | 'terms'> {
  const { durationSeconds, waitSeconds, patienceSeconds, endAt, output, ...rest } = given;
  const { firstMediaSeconds, staleAfterSeconds, startAt, expiresAt, ...more } = rest;
  const {
    priority,
    mayWait,
    retry,
    labels,
    allowDuplicate,
    callback_url: _,
    callback_secret: __,
    ...request
  } = more;
  return {
    request: {
      ...request,
      output,
      ...(durationSeconds !== undefined && { durationMs: ms(durationSeconds) }),
      ...(endAt !== undefined && { endAt: Date.parse(endAt) }),
      ...(waitSeconds !== undefined && { waitMs: ms(waitSeconds) }),
      ...(patienceSeconds !== undefined && { patienceMs: ms(patienceSeconds) }),
      watch: {
        ...(firstMediaSeconds !== undefined && { firstMediaMs: ms(firstMediaSeconds) }),
        ...(staleAfterSeconds !== undefined && { staleMs: ms(staleAfterSeconds) }),
      },
    },
    terms: {
      ...(startAt !== undefined && { startAt: Date.parse(startAt) }),
      ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
      ...(priority !== undefined && { priority }),
      ...(mayWait !== undefined && { mayWait }),
      ...(retry && { retry: { attempts: retry.attempts, delayMs: ms(retry.delaySeconds) } }),
      ...(labels && { labels }),
      ...(allowDuplicate !== undefined && { isDuplicateWanted: allowDuplicate }),
    },
  };
}

export const Extension = z
  .union([
    z.strictObject({ moreSeconds: SomeSeconds }),
    z.strictObject({ durationSeconds: SomeSeconds }),
    z.strictObject({ endAt: InstantGiven }),
  ])
  .meta({ id: 'Extension', description: 'So much longer, so long in all, or until then' });

export function extensionOf(given: z.infer<typeof Extension>) {
  if ('moreSeconds' in given) return { moreMs: ms(given.moreSeconds) };
  if ('durationSeconds' in given) return { durationMs: ms(given.durationSeconds) };
  return { endAt: Date.parse(given.endAt) };
}
