import type { Move } from '../../machines/ports.ts';
import type { Decision } from '../../machines/vocabulary.ts';
import { mergeHistories } from './mergeHistories.ts';
import type { HistoryEntry } from './operations.ts';

/** Moves and decisions of a job in the order in which they came about, each with why and with its evidence. */
export function historyOf(
  moves: readonly (Move & { readonly at: number })[],
  decisions: readonly (Decision & { readonly at: number })[],
): readonly HistoryEntry[] {
  return mergeHistories<HistoryEntry>([
    moves.map(({ at, from, to, cause, evidence }) => ({
      at,
      kind: 'move',
      by: 'bigDog',
      what: `${from} → ${to}`,
      why: cause,
      evidence,
    })),
    decisions.map(({ at, dog, decision, why, evidence }) => ({
      at,
      kind: 'decision',
      by: dog,
      what: decision,
      why,
      evidence,
    })),
  ]);
}
