/** Which packets a segment should have, in order. Every hash is unique in its set. */
export interface Reference {
  readonly video: readonly string[];
  readonly audio: readonly string[];
}

/** What of one segment is there, as `[distinct packets found, packets it has]`. */
export interface Share {
  readonly position: number;
  readonly video: readonly [have: number, of: number];
  readonly audio: readonly [have: number, of: number];
}

export interface Tally {
  /** Positions whose every packet is there at least once. */
  readonly segments: readonly number[];
  /** Positions of which some packets are there. */
  readonly partial: readonly Share[];
  /** Expected positions of which nothing is there. */
  readonly missing: readonly number[];
  /** Positions with a packet that is there more than once. */
  readonly duplicated: readonly number[];
  /** Positions that are there although they were not expected. */
  readonly unexpected: readonly number[];
  /** Packets that are in no segment of the set: torn, changed, or from elsewhere. */
  readonly unknownPackets: number;
  /** Packets, video and audio each by itself, that stand before one which belongs before them. */
  readonly outOfOrder: number;
}

/** Positions in the order in which a recording should show them; `from` > `to` runs through the end of the set. */
export function expectedPositions(count: number, from: number, to: number): number[] {
  const length = ((to - from + count) % count) + 1;
  return Array.from({ length }, (_, step) => (from + step) % count);
}

interface Spot {
  readonly position: number;
  readonly place: number;
}

/** Counts found packets (hashes, in file order) against the reference. Pure. */
export function tally(
  reference: readonly Reference[],
  found: Reference,
  expected: readonly number[],
): Tally {
  const video = countTrack(reference, found, { kind: 'video', expected });
  const audio = countTrack(reference, found, { kind: 'audio', expected });
  const shares = reference.map((_, position) => ({
    position,
    video: video.share(position),
    audio: audio.share(position),
  }));
  const isThere = ({ video: [a], audio: [b] }: Share): boolean => a + b > 0;
  const isWhole = ({ video: [a, ofA], audio: [b, ofB] }: Share): boolean => a === ofA && b === ofB;
  const wanted = new Set(expected);
  const inOrder = [...expected, ...reference.keys()].filter(
    (position, at, all) => all.indexOf(position) === at,
  );
  const sorted = inOrder.flatMap((position) => shares[position] ?? []);
  return {
    segments: sorted.filter(isWhole).map(({ position }) => position),
    partial: sorted.filter((share) => isThere(share) && !isWhole(share)),
    missing: expected.filter((position) => {
      const share = shares[position];
      return share === undefined || !isThere(share);
    }),
    duplicated: inOrder.filter((position) => video.repeats(position) || audio.repeats(position)),
    unexpected: sorted
      .filter((share) => isThere(share) && !wanted.has(share.position))
      .map(({ position }) => position),
    unknownPackets: video.unknown + audio.unknown,
    outOfOrder: video.outOfOrder + audio.outOfOrder,
  };
}

interface Track {
  share(position: number): [have: number, of: number];
  repeats(position: number): boolean;
  readonly unknown: number;
  readonly outOfOrder: number;
}

function countTrack(
  reference: readonly Reference[],
  found: Reference,
  { kind, expected }: { kind: 'video' | 'audio'; expected: readonly number[] },
): Track {
  const spots = new Map<string, Spot>();
  for (const [position, segment] of reference.entries()) {
    for (const [place, hash] of segment[kind].entries()) spots.set(hash, { position, place });
  }
  const rank = new Map(expected.map((position, at) => [position, at]));
  const times = reference.map(() => new Map<number, number>());
  let unknown = 0;
  let outOfOrder = 0;
  let before: Spot | undefined;
  for (const hash of found[kind]) {
    const spot = spots.get(hash);
    if (spot === undefined) {
      unknown++;
      continue;
    }
    const seen = times[spot.position];
    seen?.set(spot.place, (seen.get(spot.place) ?? 0) + 1);
    if (before !== undefined && comesBefore(spot, before, rank)) outOfOrder++;
    before = spot;
  }
  return {
    share: (position) => [times[position]?.size ?? 0, reference[position]?.[kind].length ?? 0],
    repeats: (position) => [...(times[position]?.values() ?? [])].some((count) => count > 1),
    unknown,
    outOfOrder,
  };
}

/** Positions that were not expected have no order among the others, save their own number. */
function comesBefore(a: Spot, b: Spot, rank: ReadonlyMap<number, number>): boolean {
  if (a.position === b.position) return a.place < b.place;
  return (rank.get(a.position) ?? a.position) < (rank.get(b.position) ?? b.position);
}
