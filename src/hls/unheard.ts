/**
 * How far a track may be behind the main one, milliseconds: packagers write all playlists within a segment of each other, and 10 s is
 * the longest usual segment. Where a track says that its own are longer, three target durations.
 */
const BEHIND_MAX_MS = 10_000;
const BEHIND_MAX_TARGETS = 3;

/** When the playlists of a track could be read. Times are monotonic milliseconds. */
export interface Hearing {
  readonly track: string;
  /** It was heard in an earlier attempt. */
  readonly isResumed: boolean;
  /** Its origin has said that it is over, so that nobody has to hear more of it. */
  readonly hasEnded: boolean;
  /** The first playlist of this attempt; undefined: there was none. */
  readonly first: { readonly at: number; readonly windowMs: number } | undefined;
  /** When it last said something new; where it has not in this attempt, a time that stands for it. */
  readonly newAt: number;
  readonly targetMs: number;
}

export interface MainHearing {
  /** When the recording began; before this attempt where it is continued. */
  readonly beganAt: number;
  readonly newAt: number;
}

/**
 * The tracks of which something is missing that no gap can name: that were never heard, or only from a time on whose beginning their
 * first playlist did not list, or not any more for a time before the end.
 */
export const unheardOf = (main: MainHearing, others: readonly Hearing[]): string[] =>
  others.filter((track) => isUnheard(main, track)).map(({ track }) => track);

function isUnheard(main: MainHearing, track: Hearing): boolean {
  const { isResumed, hasEnded, first, newAt, targetMs } = track;
  if (!isResumed && first === undefined) return true;
  const behindMaxMs = Math.max(BEHIND_MAX_MS, BEHIND_MAX_TARGETS * targetMs);
  const cameLate =
    !isResumed && first !== undefined && first.at - first.windowMs - main.beganAt > behindMaxMs;
  return cameLate || (!hasEnded && main.newAt - newAt > behindMaxMs);
}
