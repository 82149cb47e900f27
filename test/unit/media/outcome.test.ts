import { expect, test } from 'vitest';
import type { EndCause, LedgerRecord } from '../../../src/ledger/record.ts';
import { outcomeOf } from '../../../src/media/outcome.ts';
import { ledgerOf, recordsOf } from './recording.ts';

const ended = (why: EndCause): LedgerRecord => ({ t: 'ended', at: 1, why, evidence: {} });
const ledger = (end?: LedgerRecord, lost: number[] = []) =>
  ledgerOf(recordsOf([{ set: 'ts', from: 0, to: 4, lost }], end));

test.each(['endlist', 'duration', 'stopped', 'source.ended'] as const)(
  '%s with everything is complete',
  (why) => {
    expect(outcomeOf(ledger(ended(why)), {})).toBe('complete');
  },
);

test('anything lost makes gaps', () => {
  expect(outcomeOf(ledger(ended('endlist'), [2]), {})).toBe('gaps');
});

test('a track that was not heard all the time makes gaps: what it lacks has no numbers', () => {
  const end = { ...ended('stopped'), evidence: { unheard: ['audio-en'] } };
  expect(outcomeOf(ledger(end), {})).toBe('gaps');
});

test.each(['source.vanished', 'source.idle'] as const)('%s is truncated', (why) => {
  expect(outcomeOf(ledger(ended(why)), {})).toBe('truncated');
});

test('without an end in the journal nobody vouches for one, however the job came to its own', () => {
  expect(outcomeOf(ledger(), {})).toBe('truncated');
});

test('a job bound to fail has a truncated recording', () => {
  expect(outcomeOf(ledger(ended('endlist')), { verdict: 'disk.full' })).toBe('truncated');
});
