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

/** The playlists of one track, from whichever sources are asked now. */
export class TrackFeed {
  readonly #options: TrackFeedOptions;
  readonly #playlists = new Map<number, PlaylistSource>();
  readonly #switch: SourceSwitch;
  /** Of the last playlist, milliseconds; an origin may hold its next answer back for about as long. */
  #targetDurationMs = 0;
  #isHeard = false;

  constructor(options: TrackFeedOptions) {
    this.#options = options;
    const { sources, dual } = options;
    this.#switch = new SourceSwitch({ links: sources.links, dual });
  }

  /** Whether any source has ever answered with a playlist. */
  get isHeard(): boolean {
    return this.#isHeard;
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
    const graceMs = poll.blockUntilMsn !== undefined ? this.#targetDurationMs : 0;
    this.#switch.asked(source, clock.elapsed(), graceMs);
    try {
      const answer = await this.#playlist(source).poll(poll);
      const now = clock.elapsed();
      const before = this.#switch.active;
      this.#isHeard = true;
      if (answer === 'unchanged') this.#switch.answered(source, { now, isNew: false });
      else {
        const targetMs = answer.targetDurationMs;
        this.#targetDurationMs = targetMs;
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
