import type { Clock } from '../../../src/core/clock.ts';
import { pause } from '../../../src/core/clock.ts';
import { isKennelError, KennelError } from '../../../src/core/errors.ts';
import type { MediaPlaylist } from '../../../src/hls/playlist/model.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';
import type { PlaylistFeed } from '../../../src/hls/recordingPorts.ts';
import type { PlaylistPoll } from '../../../src/hls/source/playlistSource.ts';
import { SourceSwitch } from '../../../src/hls/source/sourceSwitch.ts';
import type { SimOrigin } from './simOrigin.ts';

/** A stale edge is so far behind. */
const STALE_MS = 3_000;

export interface SimSourcesOptions {
  readonly origin: SimOrigin;
  readonly clock: Clock;
  readonly links: number;
  readonly dual: boolean;
  latencyMs(): number;
  /** What a source listed in an answer that a living recorder read. */
  shown(source: number, at: number): void;
}

export const httpError = (status: number): KennelError =>
  new KennelError(status === 404 ? 'source.notFound' : 'source.unavailable', `status ${status}`, {
    retryable: true,
    details: { status },
  });

export const networkError = (): KennelError =>
  new KennelError('source.unavailable', 'connection refused', { retryable: true });

export const timeoutError = (): KennelError =>
  new KennelError('timeout.exceeded', 'no answer', { retryable: true });

/** The playlists of the simulated origin, asked as the real feed asks: the switch that decides whom is the real one. */
export class SimSources implements PlaylistFeed {
  readonly #options: SimSourcesOptions;
  readonly #switch: SourceSwitch;
  readonly #texts = new Map<number, string>();
  #answers = 0;

  constructor(options: SimSourcesOptions) {
    this.#options = options;
    this.#switch = new SourceSwitch(options);
  }

  wanted(now: number): readonly number[] {
    return this.#switch.wanted(now);
  }

  wakeAt(now: number): number {
    return this.#switch.wakeAt(now);
  }

  segmentEnded(): void {
    // Addresses never run out here.
  }

  begin(source: number): void {
    this.#switch.begin(source);
  }

  async poll(source: number, poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'> {
    const { clock } = this.#options;
    this.#switch.asked(source, clock.elapsed());
    try {
      const answer = await this.#ask(source, poll);
      const now = clock.elapsed();
      const isNew = answer !== 'unchanged';
      this.#switch.answered(source, {
        now,
        isNew,
        ...(isNew && { targetMs: answer.targetDurationMs }),
      });
      return answer;
    } catch (error) {
      if (isKennelError(error) && !poll.signal.aborted) {
        this.#switch.failed(source, clock.elapsed());
      }
      throw error;
    }
  }

  async #ask(source: number, poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'> {
    const { clock, origin, latencyMs, shown } = this.#options;
    const askedAt = clock.elapsed();
    const trouble = origin.trouble(source, askedAt);
    await pause(clock, trouble === 'hang' ? poll.timeoutMs : latencyMs(), poll.signal);
    poll.signal.throwIfAborted();
    if (trouble === 'hang') throw timeoutError();
    if (trouble === 'down') throw networkError();
    const isBehind = trouble === 'stale' && this.#answers++ % 2 === 0;
    const at = Math.max(0, askedAt - (isBehind ? STALE_MS : 0));
    const text = trouble === 'html' ? '<html>' : origin.playlist(source, at);
    if (text === this.#texts.get(source)) return 'unchanged';
    const url = new URL(`http://${source}.origin.test/live.m3u8`);
    const cut = poll.cut();
    const playlist = parsePlaylist(text, url, cut === undefined ? {} : { cut });
    if (playlist.kind === 'master') throw new Error('the simulated origin has no master playlist');
    this.#texts.set(source, text);
    shown(source, at);
    return playlist;
  }
}
