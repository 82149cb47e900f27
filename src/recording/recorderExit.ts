import type { RecorderExit } from '../../machines/ports.ts';
import { isKennelError, type KennelErrorCode, messageOf } from '../core/errors.ts';
import type { RecordingEnded } from '../ledger/record.ts';

/**
 * Failures that pass by themselves, so that another attempt can help. A source that does not answer is none of them: that is
 * only ever said of a stream that was never there, after as long a wait as the job asked for.
 */
const PASSING: ReadonlySet<KennelErrorCode> = new Set([
  'disk.full',
  'disk.failed',
  // Another recorder wrote to the journal. The next attempt reads what it wrote.
  'data.locked',
]);

/** What a recorder that gave up reports. An error that is none of Kennel's is a bug: the recorder crashed. */
export function failedExit(error: unknown): RecorderExit {
  if (error instanceof RecorderFell) return error.exit;
  if (!isKennelError(error)) {
    const evidence = { message: messageOf(error) };
    return { kind: 'crashed', why: 'recorder.crashed', retryable: true, evidence };
  }
  const why = error.code === 'timeout.exceeded' ? 'source.unavailable' : error.code;
  const evidence = { message: error.message, ...error.details };
  return { kind: 'failed', why, retryable: PASSING.has(why), evidence };
}

export const killedExit = (why: string): RecorderExit => ({
  kind: 'crashed',
  why,
  retryable: true,
  evidence: { killed: true },
});

/** The end that the journal names. */
export function endedExit({ why, evidence }: Omit<RecordingEnded, 't' | 'at'>): RecorderExit {
  const kind = why === 'duration' || why === 'stopped' ? 'stopped' : 'ended';
  return { kind, why, retryable: false, evidence };
}

/** What a recording throws that knows its exit already: a program that fell, with what it said. */
export class RecorderFell extends Error {
  override readonly name = 'RecorderFell';
  readonly exit: RecorderExit;

  constructor(exit: RecorderExit) {
    super(`The recorder fell: ${exit.why}.`);
    this.exit = exit;
  }
}
