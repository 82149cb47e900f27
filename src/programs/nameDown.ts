import { isProgram } from '../ledger/recorders.ts';
import type { RecordingOptions } from '../recording/recorder.ts';
import { programOutput } from './output/programOutput.ts';

export type NameDownOptions = Pick<
  RecordingOptions,
  'job' | 'directory' | 'ledger' | 'writer' | 'clock' | 'log'
> & { readonly signal: AbortSignal };

/**
 * Names the time since the last media as a gap, where a program made the recording and it ends before anybody was chosen to go on with
 * it. What others began has no such account. Rejects with a disk error, or with the signal's reason.
 */
export async function nameDown({ job, ...options }: NameDownOptions): Promise<void> {
  const { startedAt, source } = options.ledger;
  const begunBy = source?.['recorder'];
  if (startedAt === undefined || typeof begunBy !== 'string' || !isProgram(begunBy)) return;
  const begun = () => Promise.resolve();
  await programOutput({ ...options, attempt: job.attempt, begun }).finish('down');
}
