import type { PlaylistSegment } from '../playlist/model.ts';

/** What one source lists now, on the timeline. */
export interface Listing {
  readonly source: number;
  readonly epoch: number;
  /** Added to the source's own numbers it gives ours. */
  readonly shift: number;
  /** Listed numbers, ours: from `first` up to, but not with, `end`. */
  readonly first: number;
  readonly end: number;
  /** In order and without holes; they may begin later than `first`, where a long playlist was cut. */
  readonly segments: readonly PlaylistSegment[];
  /** When what it lists can be gone if the source says nothing more, monotonic milliseconds. */
  readonly expiresAt: number;
}

export const covers = ({ first, end }: Listing, msn: number): boolean => msn >= first && msn < end;

/** The segment under one of our numbers, where the source lists it and says that it exists. */
export function segmentAt(listing: Listing, msn: number): PlaylistSegment | undefined {
  const begins = listing.segments[0]?.msn;
  if (begins === undefined) return undefined;
  const segment = listing.segments[msn - listing.shift - begins];
  return segment?.gap === false ? segment : undefined;
}

/** It says that this segment does not exist. */
export function isGapAt(listing: Listing, msn: number): boolean {
  const begins = listing.segments[0]?.msn;
  return begins !== undefined && listing.segments[msn - listing.shift - begins]?.gap === true;
}

/** The same from one of our numbers on: what is settled need not be kept in memory. */
export function listingFrom(listing: Listing, msn: number): Listing {
  const begins = (listing.segments[0]?.msn ?? 0) + listing.shift;
  return msn <= begins ? listing : { ...listing, segments: listing.segments.slice(msn - begins) };
}
