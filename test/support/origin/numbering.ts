/**
 * The origin counts its segments 0, 1, 2, … for ever: the index. Clients see media sequence numbers instead, and those
 * may start again or change. This is the map between the two.
 */
export interface Renumbering {
  /**
   * `reset`: the encoder restarts, the playlist begins anew with segment `at`, numbered `to` (lower than before).
   * `jump`: the same with a number far ahead. `relabel`: from the moment segment `at` appears, the whole playlist, its
   * history included, is numbered so that `at` is `to`: the same addresses under other numbers.
   */
  readonly kind: 'reset' | 'relabel' | 'jump';
  /** Index of the segment with which the change comes. */
  readonly at: number;
  /** The media sequence number of that segment from then on. */
  readonly to: number;
}

export interface Label {
  /** Counts the renumberings that came before. */
  readonly epoch: number;
  readonly msn: number;
}

/** One run of numbers: media sequence number = index + shift. */
export interface Era {
  readonly epoch: number;
  /** In force from the moment this segment is the newest. */
  readonly since: number;
  /** Playlists of this era show nothing older. */
  readonly oldest: number;
  readonly shift: number;
}

export function erasOf(startSequence: number, changes: readonly Renumbering[]): readonly Era[] {
  const eras: [Era, ...Era[]] = [{ epoch: 0, since: 0, oldest: 0, shift: startSequence }];
  let before = eras[0];
  for (const change of changes.toSorted((a, b) => a.at - b.at)) {
    before = {
      epoch: before.epoch + 1,
      since: change.at,
      oldest: change.kind === 'relabel' ? before.oldest : change.at,
      shift: change.to - change.at,
    };
    eras.push(before);
  }
  return eras;
}

/** The era in force while segment `head` is the newest. */
export function eraAt(eras: readonly Era[], head: number): Era {
  const era = eras.findLast(({ since }) => since <= Math.max(head, 0));
  if (era === undefined) throw new Error('an origin has at least one era');
  return era;
}

/** The label under which a segment appears first, for a client that polls often enough. */
export function labelOf(eras: readonly Era[], index: number): Label {
  const era = eraAt(eras, index);
  return { epoch: era.epoch, msn: index + era.shift };
}

/** The segment behind a label; undefined when no playlist of that epoch can show it. */
export function indexOf(eras: readonly Era[], { epoch, msn }: Label): number | undefined {
  const era = eras[epoch];
  if (era === undefined) return undefined;
  const index = msn - era.shift;
  const next = eras[epoch + 1]?.since ?? Number.POSITIVE_INFINITY;
  return index >= era.oldest && index < next ? index : undefined;
}
