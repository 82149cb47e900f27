import { type Clock, pause } from '../../core/clock.ts';
import { isKennelError, type KennelError } from '../../core/errors.ts';
import type { MediaPlaylist } from '../playlist/model.ts';
import type { PlaylistSource } from './playlistSource.ts';

/** One try may take so long: a far origin with TLS needs a second, a hung one must not use up all the time. */
const TRY_TIMEOUT_MS = 5_000;
/** Pause between tries; while waiting for a stream that is not there yet it grows to the longer one. */
const PAUSE_FIRST_MS = 500;
const PAUSE_LAST_MS = 5_000;
/** An answer that there is nothing is doubted for so long; no answer for longer, as origins restart in seconds. */
const NOT_FOUND_MS = 3_000;
const UNAVAILABLE_MS = 10_000;
/** A body that is no playlist is doubted for so long: proxies answer with HTML for a moment. */
const INVALID_MS = 5_000;

export interface OpenSourceOptions {
  readonly source: PlaylistSource;
  readonly clock: Clock;
  /** How long to wait for a stream that is not there yet, milliseconds. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** After every try. */
  tried(): void;
}

/**
 * The first usable playlist. Rejects with the last KennelError when patience is over; `retryable` tells whether another
 * attempt could help. Rejects with the signal's reason when aborted.
 */
export async function openSource(options: OpenSourceOptions): Promise<MediaPlaylist> {
  const { source, clock, signal } = options;
  const since = clock.elapsed();
  for (let tries = 1; ; tries++) {
    try {
      const playlist = await source.poll({
        signal,
        timeoutMs: TRY_TIMEOUT_MS,
        cut: () => undefined,
      });
      if (playlist !== 'unchanged') return playlist;
    } catch (error) {
      if (signal.aborted || !isKennelError(error)) throw error;
      const hopeless = isHopeless(error, { spentMs: clock.elapsed() - since });
      const waitingMs = isFinal(error) ? 0 : options.waitMs - (clock.elapsed() - since);
      if (hopeless && waitingMs <= 0) throw error;
    }
    options.tried();
    const pauseMs = Math.min(PAUSE_LAST_MS, PAUSE_FIRST_MS * Math.max(1, tries / 10));
    await pause(clock, pauseMs, signal);
    signal.throwIfAborted();
  }
}

/** No time will change it: it is encrypted, or what was asked for is not there. */
const isFinal = (error: KennelError): boolean =>
  !error.retryable && error.code !== 'limit.exceeded';

function isHopeless({ code }: KennelError, after: { spentMs: number }): boolean {
  if (code === 'source.notFound' || code === 'source.refused') return after.spentMs >= NOT_FOUND_MS;
  if (code === 'source.unavailable' || code === 'timeout.exceeded') {
    return after.spentMs >= UNAVAILABLE_MS;
  }
  if (code === 'playlist.invalid' || code === 'limit.exceeded') return after.spentMs >= INVALID_MS;
  return true;
}
