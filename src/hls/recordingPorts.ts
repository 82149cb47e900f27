import type { LedgerRecord, SegmentKey } from '../ledger/record.ts';
import type { Plan, PollOrder } from './planner/planner.ts';
import type { FetchFailure, FetchOrder } from './planner/queue.ts';
import type { MediaPlaylist, PlaylistCut } from './playlist/model.ts';
import type { PlaylistPoll } from './source/playlistSource.ts';

/** What a recording run asks of the world. The simulator has other parts behind the same words. */

/** Where the playlists of one track come from. */
export interface PlaylistFeed {
  /** The sources that are to be polled, each at the pace that the planner sets for it. */
  wanted(now: number): readonly number[];
  /** When to call `wanted` although nothing has happened; not finite when that is never. */
  wakeAt(now: number): number;
  /** Asks one source once. `unchanged`: the same as the last answer that was read. Rejects with a KennelError. */
  poll(source: number, poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'>;
  /** A segment of this source was stored, or refused although its playlist lists it. */
  segmentEnded(source: number, outcome: 'stored' | 'refused'): void;
}

/** Carries out orders. */
export interface Taker {
  /**
   * Resolves once the segment is durable and named in the journal. `landed` is called when only the journal is waited for. Rejects
   * with a KennelError, or with the signal's reason.
   */
  take(order: FetchOrder, signal: AbortSignal, landed: () => void): Promise<TakenSegment>;
}

/** What came of an order. */
export interface TakenSegment {
  /** Of the file, hex. */
  readonly checksum: string;
  /** Whose bytes they are: the order's source, or that of one of its mirrors. */
  readonly source: number;
}

/** The journal, in order. */
export interface RecordWriter {
  /** Resolves true once the record is durable, false when that was given up. */
  write(record: LedgerRecord, directory?: string): Promise<boolean>;
}

/** What decides; see `Planner`. Times are monotonic milliseconds. */
export interface RunPlanner {
  plan(now: number): Plan;
  stop(why: 'duration' | 'stopped', now: number): void;
  /** When and how this source is to be polled, as of the last plan. */
  pollOf(source: number): PollOrder;
  /** Returns the number to report the answer under. */
  onPollSent(now: number, source: number): number;
  onPlaylist(poll: number, playlist: MediaPlaylist, now: number): void;
  onUnchanged(poll: number, now: number): void;
  onPollFailed(poll: number, sign: string, now: number): void;
  /** Where this source's next long playlist may be cut. */
  cut(source: number): PlaylistCut | undefined;
  onLanded(key: SegmentKey, now: number): void;
  onFetched(key: SegmentKey, checksum: string, at: { now: number; source: number }): void;
  onFetchFailed(key: SegmentKey, failure: FetchFailure, at: { now: number; jitter: number }): void;
  onProbed(result: { checksum: string } | FetchFailure, at: { now: number; jitter: number }): void;
}
