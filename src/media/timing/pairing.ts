import type { Pairing, Piece } from '../joinedRun.ts';
import type { ClockGroup } from './clockGroups.ts';
import { Intervals } from './intervals.ts';
import { nearest } from './timestampWrap.ts';

/** Timestamps that are no further than this from what is there of a clock belong to it, seconds. */
const NEAR = 60;

export interface Paired {
  readonly group: ClockGroup;
  readonly by: Pairing;
  /** Where the piece begins on the group's clock. */
  readonly startSeconds: number;
}

/** The clocks that pieces of other renditions may belong to, ordered so that few have to be looked at for each piece. */
export class PairingIndex {
  readonly #groups: readonly KnownGroup[];
  readonly #byDiscontinuity = new Map<number | undefined, number[]>();
  readonly #byPosition: Intervals;
  readonly #byWall: Intervals;

  constructor(groups: readonly ClockGroup[]) {
    this.#groups = groups.map(knownGroup);
    for (const [index, { discontinuities }] of this.#groups.entries()) {
      for (const number of discontinuities) {
        const known = this.#byDiscontinuity.get(number);
        if (known === undefined) this.#byDiscontinuity.set(number, [index]);
        else known.push(index);
      }
    }
    this.#byPosition = new Intervals(
      this.#groups.map((group) => [group.positionSeconds, group.positionSeconds + lengthOf(group)]),
    );
    this.#byWall = new Intervals(
      this.#groups.map((group) => {
        const from = group.wallSeconds ?? Number.NaN;
        return [from, from + lengthOf(group)];
      }),
    );
  }

  /**
   * The clock that a piece of another rendition belongs to. Wall clocks decide where both have them; then the same discontinuity
   * sequence number and timestamps that fit; then the place that the playlists' durations give. Undefined when nothing of the
   * main track is left of its time.
   */
  pair(piece: Piece): Paired | undefined {
    let best = bestOf(piece, this.#likely(piece));
    // Timestamps that fit by chance, of which there may be many, score less.
    if (best === undefined || best.score < DISCONTINUITY) best = bestOf(piece, this.#groups);
    return best && paired(piece, best.group);
  }

  /** In order: those that share more with it than timestamps. */
  #likely({ timeline, place }: Piece): KnownGroup[] {
    const { positionSeconds, spanSeconds, wallClockSeconds } = place;
    const slack = NEAR + WALL_CLOCK_FITS;
    const around = (at: number): [number, number] => [at - slack, at + spanSeconds + slack];
    const indexes = new Set([
      ...(this.#byDiscontinuity.get(timeline.segments[0]?.discontinuity) ?? []),
      ...this.#byPosition.touching(around(positionSeconds)),
      ...(wallClockSeconds === undefined ? [] : this.#byWall.touching(around(wallClockSeconds))),
    ]);
    return [...indexes]
      .toSorted((one, other) => one - other)
      .flatMap((at) => this.#groups[at] ?? []);
  }
}

/** A group, and what is asked of it again and again. */
interface KnownGroup {
  readonly group: ClockGroup;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly measured: boolean;
  /** Of its beginning, by the playlists' durations. */
  readonly positionSeconds: number;
  /** Of its beginning, by the first wall clock in it. */
  readonly wallSeconds: number | undefined;
  readonly discontinuities: ReadonlySet<number | undefined>;
}

function knownGroup(group: ClockGroup): KnownGroup {
  const { pieces, startSeconds, endSeconds, measured } = group;
  const anchor = pieces.find(({ piece }) => piece.place.wallClockSeconds !== undefined);
  const wall = anchor?.piece.place.wallClockSeconds;
  return {
    ...{ group, startSeconds, endSeconds, measured },
    positionSeconds: pieces[0]?.piece.place.positionSeconds ?? 0,
    wallSeconds:
      anchor === undefined || wall === undefined
        ? undefined
        : wall - (anchor.startSeconds - startSeconds),
    discontinuities: new Set(pieces.map(({ piece }) => piece.timeline.segments[0]?.discontinuity)),
  };
}

const lengthOf = ({ startSeconds, endSeconds }: KnownGroup): number => endSeconds - startSeconds;

function bestOf(
  piece: Piece,
  groups: readonly KnownGroup[],
): { readonly group: KnownGroup; readonly score: number } | undefined {
  let best:
    | { readonly group: KnownGroup; readonly score: number; readonly away: number }
    | undefined;
  for (const group of groups) {
    const score = scoreOf(piece, group);
    // Without any sign only the place is left, and most of it must be inside.
    if (score < 0 || (score === 0 && !isMostlyInside(piece, group))) continue;
    if (best !== undefined && score < best.score) continue;
    const clock = clockStart(piece, group);
    const away =
      clock?.near === true
        ? Math.abs(clock.startSeconds - positionStart(piece, group))
        : positionApart(piece, group);
    if (best === undefined || score > best.score || away < best.away) best = { group, score, away };
  }
  return best;
}

function paired(piece: Piece, known: KnownGroup): Paired {
  const { group } = known;
  const clock = clockStart(piece, known);
  if (clock?.near === true) return { group, by: 'clock', startSeconds: clock.startSeconds };
  const wall = wallStart(piece, known);
  if (wall !== undefined) return { group, by: 'wallClock', startSeconds: wall };
  return { group, by: 'durations', startSeconds: positionStart(piece, known) };
}

/** More for what tells more: a wall clock outweighs all else together. */
const WALL_CLOCK = 16;
const CLOCK_OVERLAPS = 5;
const CLOCK_NEAR = 4;
const DISCONTINUITY = 2;
/** A wall clock and timestamps that say the same to this, seconds, are right even where nothing overlaps. */
const WALL_CLOCK_FITS = 5;

/** Below zero: certainly not. */
function scoreOf(piece: Piece, group: KnownGroup): number {
  let score = 0;
  const wall = wallStart(piece, group);
  const clock = clockStart(piece, group);
  if (wall !== undefined) {
    const fits = clock?.near === true && Math.abs(wall - clock.startSeconds) <= WALL_CLOCK_FITS;
    if (!overlaps(wall, piece, group) && !fits) return -1;
    score += WALL_CLOCK;
  }
  if (clock !== undefined && overlaps(clock.startSeconds, piece, group)) score += CLOCK_OVERLAPS;
  else if (clock?.near === true) score += CLOCK_NEAR;
  const [first] = piece.timeline.segments;
  if (group.discontinuities.has(first?.discontinuity)) score += DISCONTINUITY;
  // Timestamps alone may fit by chance: every encoder that starts again begins at the same one.
  else if (wall === undefined && positionApart(piece, group) > NEAR) score -= CLOCK_NEAR;
  return score;
}

function overlaps(startSeconds: number, { place }: Piece, group: KnownGroup): boolean {
  return startSeconds < group.endSeconds && startSeconds + place.spanSeconds > group.startSeconds;
}

function clockStart(
  { place }: Piece,
  group: KnownGroup,
): { readonly startSeconds: number; readonly near: boolean } | undefined {
  if (place.startSeconds === undefined || !group.measured) return undefined;
  const middle = (group.startSeconds + group.endSeconds - place.spanSeconds) / 2;
  const startSeconds = nearest(place.startSeconds, middle);
  const near =
    startSeconds < group.endSeconds + NEAR &&
    startSeconds + place.spanSeconds > group.startSeconds - NEAR;
  return { startSeconds, near };
}

function wallStart({ place }: Piece, group: KnownGroup): number | undefined {
  const { wallClockSeconds } = place;
  if (wallClockSeconds === undefined) return undefined;
  if (group.wallSeconds === undefined) return undefined;
  return group.startSeconds + (wallClockSeconds - group.wallSeconds);
}

function positionStart({ place }: Piece, group: KnownGroup): number {
  return group.startSeconds + place.positionSeconds - group.positionSeconds;
}

function isMostlyInside(piece: Piece, group: KnownGroup): boolean {
  const middle = positionStart(piece, group) + piece.place.spanSeconds / 2;
  return middle >= group.startSeconds && middle < group.endSeconds;
}

/** How far the piece lies outside the group by the playlists' durations; 0 when they overlap. */
function positionApart(piece: Piece, group: KnownGroup): number {
  const start = positionStart(piece, group);
  return Math.max(
    0,
    start - group.endSeconds,
    group.startSeconds - (start + piece.place.spanSeconds),
  );
}
