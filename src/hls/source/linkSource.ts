import type { Clock } from '../../core/clock.ts';
import type { Variables, Variant } from '../playlist/model.ts';
import { parsePlaylist } from '../playlist/parsePlaylist.ts';
import { withDeadline } from '../transport/deadline.ts';
import type { FetchedText } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';
import { playlistAnswer } from './playlistAnswer.ts';
import { type ChosenRendition, chooseRenditions } from './renditions.ts';
import { renewalAt, urlExpiry } from '../../intake/urlExpiry.ts';
import { chooseVariant, type RecordedVariant, recordedVariant, sameVariants } from './variants.ts';

/** The track that holds the picture, or everything there is. */
export const MAIN_TRACK = 'main';

/** One try may take so long: a far origin with TLS needs a second, a hung one must not use up all the time. */
const RESOLVE_TIMEOUT_MS = 5_000;

const EVERY_RENDITION = { audio: ['all'], subtitles: ['all'] } as const;

export interface LinkSourceOptions {
  readonly url: URL;
  readonly quality: readonly string[];
  /** What the recording holds already, of whichever link; undefined before it has begun. */
  recorded(): RecordedVariant | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Ends what is under way, with the recording. */
  readonly life: AbortSignal;
}

/** Where a link led to. */
export interface Resolution {
  /** The link's first, second, … answer. */
  readonly number: number;
  /** Undefined: the link is a media playlist itself. */
  readonly variant: Variant | undefined;
  /** Every rendition of the variant, under its track's name: the tracks of a recording stay, whatever a later answer has. */
  readonly renditions: readonly ChosenRendition[];
  readonly variables: Variables;
  /** When to ask again although the addresses still work, monotonic milliseconds; undefined: they do not tell. */
  readonly renewAt: number | undefined;
  /** When it was said, monotonic milliseconds. */
  readonly at: number;
}

/** One of the job's links: asked once, whatever the number of tracks, and again when what it named has run out. */
export class LinkSource {
  readonly #options: LinkSourceOptions;
  #resolution: Resolution | undefined;
  #asking: Promise<Resolution> | undefined;
  #answered = 0;
  #media: FetchedText | undefined;

  constructor(options: LinkSourceOptions) {
    this.#options = options;
  }

  get url(): URL {
    return this.#options.url;
  }

  /** The last answer. */
  get resolution(): Resolution | undefined {
    return this.#resolution;
  }

  /** The media playlist that the link answered with, where it is one; told once, since it may be long. */
  takeMedia(): FetchedText | undefined {
    const media = this.#media;
    this.#media = undefined;
    return media;
  }

  /**
   * What the link leads to; asked when that is not known, or is no newer than `after`. All who ask meanwhile get the same answer.
   * Rejects as `playlistAnswer` and `parsePlaylist` do, with `quality.notFound`, `timeout.exceeded`, and with the reason of the
   * signal: whoever waits may leave, the question goes on.
   */
  async resolve({
    after,
    signal,
  }: {
    after?: Resolution | undefined;
    signal: AbortSignal;
  }): Promise<Resolution> {
    const known = this.#resolution;
    if (known !== undefined && known.number > (after?.number ?? 0)) return known;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return await unlessAborted(this.#asking, signal);
  }

  async #ask(): Promise<Resolution> {
    const { clock, life: outer } = this.#options;
    const timeoutMs = RESOLVE_TIMEOUT_MS;
    const answer = await withDeadline({ clock, timeoutMs, outer }, async (signal) => {
      const { url, transport } = this.#options;
      return await playlistAnswer({ url, transport, signal, timeoutMs });
    });
    const resolution = this.#read(answer);
    this.#resolution = resolution;
    this.#media = resolution.variant === undefined ? answer : undefined;
    return resolution;
  }

  #recorded(): RecordedVariant | undefined {
    const before = this.#resolution?.variant;
    return before === undefined ? this.#options.recorded() : recordedVariant(before);
  }

  #read({ text, url, headers }: FetchedText): Resolution {
    const { quality, clock } = this.#options;
    const playlist = parsePlaylist(text, url);
    this.#answered++;
    const number = this.#answered;
    const at = clock.elapsed();
    if (playlist.kind === 'media') {
      return { number, at, variant: undefined, renditions: [], variables: {}, renewAt: undefined };
    }
    const recorded = this.#recorded();
    // A better one may have come since: it would be another recording.
    const same = recorded === undefined ? [] : sameVariants(playlist.variants, recorded);
    const variant =
      same.length > 0
        ? chooseVariant(same, [...quality, 'best'])
        : chooseVariant(playlist.variants, quality);
    const renditions = chooseRenditions(variant, EVERY_RENDITION);
    const now = clock.now();
    const named = renditions.map(({ rendition }) => rendition.url);
    const expiries = [variant.url, ...variant.mirrors, ...named].flatMap(
      (address) => urlExpiry(address, { headers, now }) ?? [],
    );
    const renewInMs =
      expiries.length === 0 ? undefined : renewalAt(Math.min(...expiries), now) - now;
    return {
      number,
      at,
      variant,
      renditions,
      variables: playlist.variables,
      renewAt: renewInMs === undefined ? undefined : at + renewInMs,
    };
  }
}

/** The promise's end, or the signal's reason. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Nobody else may wait for it any more.
    promise.catch(() => undefined);
  }
}
