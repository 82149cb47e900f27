import { globSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';

/** What the journals of all recordings add up to. */
export interface Kept {
  readonly recordings: number;
  readonly segments: number;
  readonly bytes: number;
  readonly lost: number;
}

export async function recordingsKept(recordings: string): Promise<Kept> {
  const ledgers = await Promise.all(globSync(join(recordings, '*')).map(ledgerAt));
  const sum = (of: (ledger: Ledger) => number) => ledgers.reduce((all, one) => all + of(one), 0);
  return {
    recordings: ledgers.length,
    segments: sum(({ stored }) => stored),
    bytes: sum(({ bytes }) => bytes),
    lost: sum(({ advertised, stored }) => advertised - stored),
  };
}

async function ledgerAt(directory: string): Promise<Ledger> {
  const ledger = new Ledger({ segmentsKept: 0 });
  for (const record of (await readJournal(directory)).records) ledger.apply(record);
  return ledger;
}

/** One line on it, as a subject's last words. */
export const keptSentence = ({ recordings, segments, lost }: Kept): string =>
  `${recordings} journals have ${segments} segments and name ${lost} as lost`;
