import { type Clock, pause } from '../../core/clock.ts';
import { isKennelError, type KennelError } from '../../core/errors.ts';
import { doubtMs } from '../../intake/doubt.ts';
import type { MediaPlaylist } from '../playlist/model.ts';
import type { PlaylistPoll } from './playlistSource.ts';

/** One try may take so long: a far origin with TLS needs a second, a hung one must not use up all the time. */
const TRY_TIMEOUT_MS = 5_000;
/** A source that has not answered after so long gets the next one beside it. */
const BESIDE_AFTER_MS = 2_000;
/** Pause between tries; while waiting for a stream that is not there yet it grows to the longer one. */
const PAUSE_FIRST_MS = 500;
const PAUSE_LAST_MS = 5_000;

export interface OpenSourceOptions {
  readonly feed: {
    /** How many sources there are; more may become known with an answer. */
    readonly count: number;
    poll(source: number, poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'>;
  };
  readonly clock: Clock;
  /** How long to wait for a stream that is not there yet, milliseconds. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** After every try. */
  tried(): void;
  /** Once, when the waiting for a stream that is not there yet begins. */
  waiting?(because: KennelError): void;
}

export interface OpenedSource {
  readonly source: number;
  readonly playlist: MediaPlaylist;
}

/**
 * The first usable playlist, and which source it came from: the first source, unless that fails or lets wait. Rejects with the
 * first source's last KennelError when there is no hope for any; `retryable` tells whether another attempt could help. Rejects
 * with the signal's reason when aborted.
 */
export async function openSource(options: OpenSourceOptions): Promise<OpenedSource> {
  const { clock, signal, waitMs } = options;
  const since = clock.elapsed();
  let isWaiting = false;
  for (let tries = 1; ; tries++) {
    const opened = await new Round(options).run();
    if (!Array.isArray(opened)) return opened;
    const spentMs = clock.elapsed() - since;
    const [first] = opened;
    const hopeless = opened.every(({ code }) => spentMs >= doubtMs(code));
    const mayCome = !opened.every(isFinal) && spentMs < waitMs;
    if (first !== undefined && hopeless && !mayCome) throw first;
    options.tried();
    if (first !== undefined && hopeless && !isWaiting) {
      isWaiting = true;
      options.waiting?.(first);
    }
    const pauseMs = Math.min(PAUSE_LAST_MS, PAUSE_FIRST_MS * Math.max(1, tries / 10));
    await pause(clock, pauseMs, signal);
    signal.throwIfAborted();
  }
}

/** Every source once, each when the one before has failed or lets wait. */
class Round {
  readonly #options: OpenSourceOptions;
  readonly #over = new AbortController();
  readonly #end = Promise.withResolvers<OpenedSource | KennelError[]>();
  /** By source, in their order. */
  readonly #errors = new Map<number, KennelError>();
  #begun = 0;
  #timer: unknown;

  constructor(options: OpenSourceOptions) {
    this.#options = options;
  }

  /** The winner, or what each source answered instead. */
  async run(): Promise<OpenedSource | KennelError[]> {
    const { signal, clock } = this.#options;
    const abort = () => this.#end.reject(signal.reason);
    if (signal.aborted) abort();
    else this.#next();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await this.#end.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      clock.clearTimeout(this.#timer);
      this.#over.abort(decided);
    }
  }

  #next(): void {
    const { feed, clock } = this.#options;
    clock.clearTimeout(this.#timer);
    if (this.#begun >= feed.count) {
      const errors = [...this.#errors].sort(([one], [other]) => one - other);
      if (errors.length >= this.#begun) this.#end.resolve(errors.map(([, error]) => error));
      return;
    }
    const source = this.#begun;
    this.#begun++;
    this.#timer = clock.setTimeout(() => this.#next(), BESIDE_AFTER_MS);
    void this.#ask(source);
  }

  async #ask(source: number): Promise<void> {
    const { signal } = this.#over;
    try {
      const playlist = await this.#options.feed.poll(source, {
        signal,
        timeoutMs: TRY_TIMEOUT_MS,
        cut: () => undefined,
      });
      if (playlist === 'unchanged')
        throw new Error('nothing was read before that could be the same');
      this.#end.resolve({ source, playlist });
    } catch (error) {
      if (signal.aborted) return;
      if (!isKennelError(error)) {
        this.#end.reject(error);
        return;
      }
      this.#errors.set(source, error);
      this.#next();
    }
  }
}

/** Why the others are let go of. */
const decided = new Error('another source answered first');

/** No time will change it: it is encrypted, or what was asked for is not there. */
const isFinal = (error: KennelError): boolean =>
  !error.retryable && error.code !== 'limit.exceeded';
