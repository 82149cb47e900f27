import type { Clock } from '../../core/clock.ts';
import { isKennelError } from '../../core/errors.ts';
import type { MediaPlaylist } from '../playlist/model.ts';
import type { PlaylistPoll, PlaylistSource } from './playlistSource.ts';
import type { SourceList } from './sourceList.ts';
import { SourceSwitch } from './sourceSwitch.ts';

export interface TrackFeedOptions {
  readonly track: string;
  readonly sources: SourceList;
  readonly dual: boolean;
  readonly clock: Clock;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** When a track was heard in this attempt. Times are monotonic milliseconds. */
export interface Heard {
  readonly first: { readonly at: number; readonly windowMs: number };
  /** When it last said something new. */
  readonly newAt: number;
  readonly targetMs: number;
}

/** The playlists of one track, from whichever sources are asked now. */
export class TrackFeed {
  readonly #options: TrackFeedOptions;
  readonly #playlists = new Map<number, PlaylistSource>();
  readonly #switch: SourceSwitch;
  #heard: Heard | undefined;

  constructor(options: TrackFeedOptions) {
    this.#options = options;
    const { sources, dual } = options;
    this.#switch = new SourceSwitch({ links: sources.links, dual });
  }

  /** Undefined before any source has answered with a playlist. */
  get heard(): Heard | undefined {
    return this.#heard;
  }

  /** How many sources are known. */
  get count(): number {
    return this.#options.sources.count(this.#options.track);
  }

  /** The recording begins with this source: it was the first to answer. */
  begin(source: number): void {
    this.#grow();
    this.#switch.begin(source);
  }

  /** The sources that are to be polled, each at its own pace. */
  wanted(now: number): readonly number[] {
    this.#grow();
    return this.#switch.wanted(now);
  }

  /** When to call `wanted` although nothing has happened. */
  wakeAt(now: number): number {
    return this.#switch.wakeAt(now);
  }

  /** Rejects as `PlaylistSource.poll` does. */
  async poll(source: number, poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'> {
    const { clock } = this.#options;
    this.#grow();
    // An origin that holds its answer back does so for about as long as a segment lasts.
    const graceMs = poll.blockUntilMsn !== undefined ? (this.#heard?.targetMs ?? 0) : 0;
    this.#switch.asked(source, clock.elapsed(), graceMs);
    try {
      const answer = await this.#playlist(source).poll(poll);
      const now = clock.elapsed();
      const before = this.#switch.active;
      if (answer === 'unchanged') this.#switch.answered(source, { now, isNew: false });
      else {
        const { targetDurationMs: targetMs, windowMs } = answer;
        const { first = { at: now, windowMs } } = this.#heard ?? {};
        this.#heard = { first, newAt: now, targetMs };
        this.#switch.answered(source, { now, isNew: true, targetMs });
      }
      if (this.#switch.active !== before) this.#tell(before);
      return answer;
    } catch (error) {
      if (isKennelError(error) && !poll.signal.aborted) {
        this.#switch.failed(source, clock.elapsed());
      }
      throw error;
    }
  }

  /** A segment of this source was stored, or refused although its playlist lists it. */
  segmentEnded(source: number, outcome: 'stored' | 'refused'): void {
    this.#playlists.get(source)?.segmentEnded(outcome);
  }

  #tell(before: number): void {
    const { track, log } = this.#options;
    log('Another source takes over.', { track, source: this.#switch.active, before });
  }

  #grow(): void {
    this.#switch.grow(this.count);
  }

  #playlist(source: number): PlaylistSource {
    const { track, sources } = this.#options;
    const known = this.#playlists.get(source);
    if (known !== undefined) return known;
    const playlist = sources.playlist(track, source);
    this.#playlists.set(source, playlist);
    return playlist;
  }
}
