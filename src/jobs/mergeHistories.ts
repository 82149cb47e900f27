interface Dated {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Merges histories by their dates, keeping the order within each, whatever the wall clock did: a date that lies before its
 * predecessor's shows that the clock was set back, and what follows belongs behind everything from before.
 */
export function mergeHistories<Entry extends Dated>(
  histories: readonly (readonly Entry[])[],
): Entry[] {
  const placed = histories.flatMap((history) => {
    let setBacks = 0;
    return history.map((entry, index) => {
      if (entry.at < (history[index - 1]?.at ?? entry.at)) setBacks++;
      return { entry, setBacks };
    });
  });
  return placed
    .sort((a, b) => a.setBacks - b.setBacks || a.entry.at - b.entry.at)
    .map(({ entry }) => entry);
}
