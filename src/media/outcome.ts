import type { Job } from '../../machines/ports.ts';
import type { Outcome } from '../../machines/vocabulary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { EndCause } from '../ledger/record.ts';

/** Ends of the source that nobody vouched for. */
const VANISHED: readonly EndCause[] = ['source.vanished', 'source.idle'];

/** Endings of a job that somebody vouched for, when the journal has no end of its own (the recorder was killed first). */
const VOUCHED = ['over', 'stopped', 'endlist', 'duration'];

/** How complete a recording is. See `OUTCOMES`. */
export function outcomeOf(ledger: Ledger, job: Pick<Job, 'ending' | 'verdict'>): Outcome {
  const { ended } = ledger;
  const vouched =
    ended === undefined
      ? job.ending !== undefined && VOUCHED.includes(job.ending)
      : !VANISHED.includes(ended.why);
  if (!vouched || job.verdict !== undefined) return 'truncated';
  return ledger.lost > 0 ? 'gaps' : 'complete';
}
