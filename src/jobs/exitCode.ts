import type { KennelErrorCode } from '../core/errors.ts';
import { ERROR_CODES } from '../core/errors.ts';
import type { JobRecord } from './jobRecords.ts';

/** Codes of a recording that was finished. */
export const EXIT_COMPLETE = 0;
const EXIT_GAPS = 3;
export const EXIT_TRUNCATED = 4;

/** The others follow `sysexits.h` of BSD. */
const EXIT_OF_ERROR: Readonly<Record<KennelErrorCode, number>> = {
  'usage.invalid': 64,
  'url.invalid': 64,
  'quality.notFound': 64,
  'source.list': 64,
  'request.invalid': 64,
  'request.tooLarge': 64,
  'route.notFound': 64,
  'method.notAllowed': 64,
  'playlist.invalid': 65,
  'segment.invalid': 65,
  'source.encrypted': 65,
  'source.unsupported': 65,
  'limit.exceeded': 65,
  'source.notFound': 66,
  'job.notFound': 66,
  'tenant.notFound': 66,
  'key.notFound': 66,
  'schedule.notFound': 66,
  'webhook.notFound': 66,
  'delivery.notFound': 66,
  'event.gone': 66,
  'source.unavailable': 69,
  'source.vanished': 69,
  'source.notLive': 69,
  'timeout.exceeded': 69,
  'database.unavailable': 69,
  'service.unavailable': 69,
  'recorder.crashed': 70,
  bug: 70,
  'tool.failed': 70,
  'mux.failed': 70,
  'mux.unverified': 70,
  'destination.unwritable': 73,
  'destination.conflict': 73,
  'disk.full': 74,
  'disk.failed': 74,
  'journal.corrupt': 74,
  'data.locked': 75,
  'job.conflict': 75,
  'job.duplicate': 75,
  'tenant.full': 75,
  'capacity.exceeded': 75,
  'idempotency.conflict': 75,
  'idempotency.busy': 75,
  'precondition.failed': 75,
  'rate.limited': 75,
  'database.fenced': 75,
  'source.refused': 77,
  'access.missing': 77,
  'access.denied': 77,
  'access.forbidden': 77,
  'source.login': 77,
  'source.geo': 77,
  'address.refused': 77,
  'config.invalid': 78,
  'database.unsafe': 78,
  'tool.missing': 78,
  'tool.outdated': 78,
  'sandbox.unavailable': 78,
};

/** What ends a job and is no error code: verdicts of the supervision tree. */
const EXIT_OF_VERDICT: Readonly<Record<string, number>> = {
  'recording.empty': 69,
  'recorder.spent': 70,
  'bigDog.spent': 70,
  'mux.spent': 70,
  'upload.failed': 74,
  'upload.spent': 74,
};

const EXIT_CANCELLED = 130;
/** It was never begun, and may be asked for again later. */
const EXIT_UNBEGUN = 75;

export const exitCodeOfError = (code: KennelErrorCode): number => EXIT_OF_ERROR[code];

/** The exit code of a command that ran this job to its end. */
export function exitCodeOfJob({
  state,
  outcome,
  verdict,
  ending,
}: Pick<JobRecord, 'state' | 'outcome' | 'verdict' | 'ending'>): number {
  if (state === 'cancelled') return EXIT_CANCELLED;
  if (state === 'rejected' || state === 'expired') return EXIT_UNBEGUN;
  // It ended before what was asked for, but what was recorded is a file that plays.
  if (outcome === 'truncated') return EXIT_TRUNCATED;
  if (state === 'failed') return exitCodeOfVerdict(verdict ?? ending ?? '');
  return outcome === 'gaps' ? EXIT_GAPS : EXIT_COMPLETE;
}

const exitCodeOfVerdict = (verdict: string): number =>
  isErrorCode(verdict) ? EXIT_OF_ERROR[verdict] : (EXIT_OF_VERDICT[verdict] ?? 70);

const isErrorCode = (word: string): word is KennelErrorCode => word in ERROR_CODES;
