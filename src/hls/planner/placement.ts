import type { EpochCause } from '../../ledger/record.ts';
import type { MediaPlaylist, PlaylistSegment } from '../playlist/model.ts';
import type { Place } from './history.ts';

export interface Placed {
  readonly place: Place;
  readonly segment: PlaylistSegment;
}

/** Numbers that left the playlist before anybody saw them. */
export interface Slid extends Place {
  readonly count: number;
  readonly durationMs: number;
}

/** What one playlist means for the timeline. */
export interface Placement {
  /**
   * `placed`: part of the recording's timeline. `stale`: nothing new in it. `probe`: only content can tell; `probe` is to be
   * fetched and its checksum handed to `probed`. `held`: it waits for the probe under way. `apart`: this source's numbers
   * cannot be joined to the timeline, and another source leads.
   */
  readonly verdict: 'placed' | 'stale' | 'probe' | 'held' | 'apart';
  readonly source: number;
  readonly playlist: MediaPlaylist;
  readonly epoch: number;
  /** Added to the source's own numbers it gives those of the timeline. */
  readonly shift: number;
  readonly opened?: {
    readonly epoch: number;
    readonly why: EpochCause;
    readonly first: number;
    readonly source?: number;
  };
  /** Missing from the epoch that was open before. */
  readonly slid: readonly Slid[];
  /** Not seen before. */
  readonly fresh: readonly Placed[];
  /** Named as missing before anybody saw them, and listed now by an answer that is behind. Each only once. */
  readonly again: readonly Placed[];
  /** Known from an earlier epoch, and listed under other numbers now. */
  readonly moved: readonly Placed[];
  readonly probe?: Placed;
  /** Nothing in it is new, and it ends with the newest that is known: it is not behind. */
  readonly isCurrent?: boolean;
  /** The source lists what it did not list before, whether that is new to the timeline or not. */
  readonly advanced: boolean;
  /** The source's numbers stopped making sense: what it listed before cannot be placed any more. */
  readonly parted: boolean;
}

export const NOTHING = {
  slid: [],
  fresh: [],
  again: [],
  moved: [],
  advanced: false,
  parted: false,
} as const;

export const endOf = (playlist: MediaPlaylist): number => (playlist.segments.at(-1)?.msn ?? -1) + 1;
