import { z } from 'zod';
import { secretText, setting, wholeNumber } from './setting.ts';

const SOCKET_IS_OPEN = 'the service listens already';
const COUNTED_BY_OLD_LIMIT = 'what is counted so far was counted with the old limit';

/** `[api]`: where the service listens, and what it takes from whom. */
export const apiSchema = z.strictObject({
  host: setting(z.string().min(1).default('127.0.0.1'), {
    description:
      'Address to listen at. Any address but loopback demands keys; `0.0.0.0` or `::` is every interface.',
    fixedBecause: SOCKET_IS_OPEN,
  }),
  port: setting(wholeNumber(0, 65_535).default(7331), {
    description: 'Port to listen at; 0 takes a free one, which is printed.',
    fixedBecause: SOCKET_IS_OPEN,
    env: ['KENNEL_API_PORT', 'PORT'],
  }),
  socket: setting(z.string().min(1).optional(), {
    description: 'Path of a unix socket to listen at instead of host and port.',
    fixedBecause: SOCKET_IS_OPEN,
    otherwise: 'none',
  }),
  keys: setting(z.enum(['auto', 'required']).default('auto'), {
    description:
      'Whether requests need a key: on every address but loopback (`auto`), or on loopback and a unix socket as well (`required`).',
    fixedBecause: 'whoever is connected was let in by the old rule',
  }),
  corsOrigins: setting(z.array(z.string().min(1)).default([]), {
    description:
      'Origins of web pages that may use the API from a browser, e.g. `https://app.example.com`.',
    fixedBecause: 'browsers keep the old answer for as long as they were told',
    otherwise: 'none',
  }),
  names: setting(z.array(z.string().min(1)).default([]), {
    description:
      'Host names, besides those of loopback, that a service without keys answers to (a guard against DNS rebinding).',
    fixedBecause: SOCKET_IS_OPEN,
    otherwise: 'none',
  }),
  requestsPerMinute: setting(wholeNumber(1).default(6_000), {
    description: 'Requests of one key in a minute.',
    fixedBecause: COUNTED_BY_OLD_LIMIT,
  }),
  addressRequestsPerMinute: setting(wholeNumber(1).default(12_000), {
    description: 'Requests from one address in a minute, whoever sends them.',
    fixedBecause: COUNTED_BY_OLD_LIMIT,
  }),
  bodyKibMax: setting(wholeNumber(1, 65_536).default(1_024), {
    description: 'Longest body of a request, in KiB.',
    fixedBecause: 'it is part of how the service listens',
  }),
});

/** `[capacity]`: how much of the machine recordings may take. */
export const capacitySchema = z.strictObject({
  jobsMax: setting(wholeNumber(1).optional(), {
    description: 'Jobs at once.',
    reloadable: true,
    otherwise: 'as many as fit',
  }),
  cpuShare: setting(z.number().min(0.05).max(1).default(0.8), {
    description:
      'Share of the CPU that recordings may take, of what the machine or its cgroup has.',
    reloadable: true,
  }),
  memoryShare: setting(z.number().min(0.05).max(1).default(0.8), {
    description: 'Share of the memory that recordings may take.',
    reloadable: true,
  }),
  cpuPressurePercentMax: setting(z.number().min(1).max(100).default(100), {
    description:
      'Nothing is added while something waits for a processor in more of the time, in percent (PSI). 100: that is no reason.',
    reloadable: true,
  }),
  strain: setting(z.enum(['keep', 'stop']).default('keep'), {
    description:
      'What is done while recordings hold each other up (memory, disk). `keep`: all go on, and an alert is told. `stop`: the job of the lowest priority, of several the youngest, is stopped well, and another one each minute until it is over.',
    reloadable: true,
  }),
  diskReserveMib: setting(wholeNumber(0).default(1024), {
    description: 'Space on the disk of the recordings that stays free, in MiB.',
    reloadable: true,
  }),
  networkBytesPerSecond: setting(wholeNumber(1).optional(), {
    description: 'What the network brings, in bytes a second.',
    reloadable: true,
    otherwise: 'what its interface says',
  }),
  diskBytesPerSecond: setting(wholeNumber(1).optional(), {
    description: 'What the disk of the recordings takes, in bytes a second.',
    reloadable: true,
    otherwise: 'not known, so not a limit',
  }),
});

/** `[queue]`: how long is kept what has been told. */
export const queueSchema = z.strictObject({
  eventDays: setting(wholeNumber(1, 3_650).default(30), {
    description:
      'How long the log of events is kept, in days: streams resume from it. Histories of jobs are not touched.',
    reloadable: true,
  }),
  answerHours: setting(wholeNumber(1, 8_760).default(24), {
    description:
      'How long answers to requests with an `Idempotency-Key` are kept, in hours: the same request gets the same answer.',
    fixedBecause: 'callers were promised the old time',
  }),
});

/** `[webhooks]` */
export const webhooksSchema = z.strictObject({
  deliveredDays: setting(wholeNumber(1, 3_650).default(7), {
    description: 'How long deliveries that have arrived are kept, in days.',
    reloadable: true,
  }),
  deadDays: setting(wholeNumber(1, 3_650).default(30), {
    description: 'How long deliveries that were given up are kept for a redelivery, in days.',
    reloadable: true,
  }),
});

/** `[clipper]`: the service that is told when a job does not fit. */
export const clipperSchema = z.strictObject({
  url: setting(
    z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .refine(hasNoPassword, 'must hold no name or password: whoever sees the settings sees it')
      .optional(),
    {
      description: 'Where complaints go when a job does not fit.',
      env: ['LIVECLIPPER_URL', 'KENNEL_CLIPPER_URL'],
      fixedBecause: 'it is registered with the webhooks when the service starts',
      otherwise: 'nobody is told',
    },
  ),
  secret: setting(secretText().optional(), {
    description: 'What complaints are signed with, as Standard Webhooks has it (`whsec_…`).',
    secret: true,
    env: ['LIVECLIPPER_SECRET', 'KENNEL_CLIPPER_SECRET'],
    fixedBecause: 'it is registered with the webhooks when the service starts',
    otherwise: 'made at the first start',
  }),
});

/** `[drain]`: what happens to recordings when the service is told to end. */
export const drainSchema = z.strictObject({
  policy: setting(z.enum(['checkpoint', 'finish']).default('checkpoint'), {
    description:
      '`checkpoint`: recorders stop well, jobs stay unfinished, and the next start goes on with them. `finish`: jobs go on to their own end, up to the limit, and then as with `checkpoint`.',
    reloadable: true,
  }),
  limitSeconds: setting(wholeNumber(1, 604_800).default(3_600), {
    description:
      'How long `finish` waits. Whoever stops the service must wait as long (`terminationGracePeriodSeconds`, `TimeoutStopSec`).',
    reloadable: true,
  }),
});

function hasNoPassword(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
