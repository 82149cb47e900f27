import type { Job } from '../../machines/ports.ts';
import type { Outcome } from '../../machines/vocabulary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { EndCause } from '../ledger/record.ts';
import { unheardTracks } from '../ledger/unheardTracks.ts';

/** Ends of the source that nobody vouched for. */
const VANISHED: readonly EndCause[] = ['source.vanished', 'source.idle'];

/**
 * How complete a recording is. See `OUTCOMES`. Only an end in the journal vouches for one: a recorder that was killed before
 * it wrote its end may have left segments that it knew of neither stored nor named. `damaged`: stored files that cannot be used any
 * more, and are as good as lost. A track that could not be heard all the time has gaps that nobody can count.
 */
export function outcomeOf(
  { ended, lost }: Pick<Ledger, 'ended' | 'lost'>,
  { verdict }: Pick<Job, 'verdict'>,
  damaged = 0,
): Outcome {
  const isVouchedFor = ended !== undefined && !VANISHED.includes(ended.why);
  if (!isVouchedFor || verdict !== undefined) return 'truncated';
  const isWhole = lost === 0 && damaged === 0 && unheardTracks({ ended }).length === 0;
  return isWhole ? 'complete' : 'gaps';
}
