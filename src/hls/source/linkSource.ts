import type { Clock } from '../../core/clock.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import type { ResolvedLink } from '../../intake/link.ts';
import { linkKind } from '../../intake/linkKind.ts';
import { renewalAt, urlExpiry } from '../../intake/urlExpiry.ts';
import type { MediaPlaylist, Variables, Variant } from '../playlist/model.ts';
import { parsePlaylist } from '../playlist/parsePlaylist.ts';
import { withDeadline } from '../transport/deadline.ts';
import type { FetchedText } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';
import { LinkPage, type ResolvePage } from './linkPage.ts';
import type { PageHeaders } from './pageHeaders.ts';
import { playlistAnswer } from './playlistAnswer.ts';
import { type ChosenRendition, chooseRenditions } from './renditions.ts';
import {
  chooseVariant,
  type RecordedVariant,
  recordedVariant,
  sameVariants,
  soundVariants,
} from './variants.ts';

/** The track that holds the picture, or everything there is. */
export const MAIN_TRACK = 'main';

/** One try may take so long: a far origin with TLS needs a second, a hung one must not use up all the time. */
const RESOLVE_TIMEOUT_MS = 5_000;

/** A window's segments may be on several hosts; the newest are those that are asked for. */
const SEGMENTS_LOOKED_AT = 32;

const EVERY_RENDITION = { audio: ['all'], subtitles: ['all'] } as const;

export interface LinkSourceOptions {
  readonly url: URL;
  readonly quality: readonly string[];
  /** Nothing but the sound is wanted, of whatever quality. */
  readonly audioOnly?: boolean | undefined;
  /** What the recording holds already, of whichever link; undefined before it has begun. */
  recorded(): RecordedVariant | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Ends what is under way, with the recording. */
  readonly life: AbortSignal;
  /** For links that are pages. Absent: every link is a playlist. */
  readonly pages?: PageReader | undefined;
}

/** Who finds out what is behind pages, and what becomes of it. */
export interface PageReader {
  readonly resolveLink: ResolvePage;
  readonly headers: PageHeaders;
  /** Takes the cookies of a page, as a Netscape cookie file. */
  takeCookies(text: string): Promise<void>;
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
  /** What answered: the link itself, or what its page led to. */
  readonly playlistUrl: URL;
  /** Where the link is a page: what is behind it. */
  readonly page?: ResolvedLink | undefined;
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
  readonly #page: LinkPage | undefined;

  constructor(options: LinkSourceOptions) {
    this.#options = options;
    const { pages, url, clock, life } = options;
    if (pages === undefined || linkKind(url) !== 'page') return;
    const learned = async ({ url: playlist, headers, cookies }: ResolvedLink) => {
      pages.headers.learn(headers, [playlist]);
      if (cookies !== undefined) await pages.takeCookies(cookies);
    };
    this.#page = new LinkPage({ url, resolveLink: pages.resolveLink, learned, clock, life });
  }

  /** Whether the playlist is somewhere else, and may be elsewhere when asked again. */
  get isPage(): boolean {
    return this.#page !== undefined;
  }

  /** A playlist that the link led to names these: what its page asked for goes there too. */
  met({ segments }: MediaPlaylist): void {
    const { page } = this.#resolution ?? {};
    if (page === undefined) return;
    const addresses = segments
      .slice(-SEGMENTS_LOOKED_AT)
      .flatMap(({ url, init, key }) => [url, key?.url, init?.url, init?.key?.url]);
    this.#options.pages?.headers.learn(page.headers, addresses);
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
    const page = await this.#page?.lead();
    try {
      const resolution = await this.#follow(page);
      this.#page?.succeeded();
      return resolution;
    } catch (error) {
      this.#page?.failed(error);
      throw error;
    }
  }

  async #follow(page: ResolvedLink | undefined): Promise<Resolution> {
    const { clock, life: outer, pages } = this.#options;
    const timeoutMs = RESOLVE_TIMEOUT_MS;
    const url = page?.url ?? this.#options.url;
    const answer = await withDeadline({ clock, timeoutMs, outer }, async (signal) => {
      const { transport } = this.#options;
      return await playlistAnswer({ url, transport, signal, timeoutMs });
    });
    const resolution = this.#read(answer, url, page);
    this.#resolution = resolution;
    this.#media = resolution.variant === undefined ? answer : undefined;
    if (page !== undefined) pages?.headers.learn(page.headers, addressesOf(resolution));
    return resolution;
  }

  #recorded(): RecordedVariant | undefined {
    const before = this.#resolution?.variant;
    return before === undefined ? this.#options.recorded() : recordedVariant(before);
  }

  #read(
    { text, url, headers }: FetchedText,
    playlistUrl: URL,
    page: ResolvedLink | undefined,
  ): Resolution {
    const { clock, audioOnly = false } = this.#options;
    const quality = audioOnly ? [...this.#options.quality, 'best'] : this.#options.quality;
    const playlist = parsePlaylist(text, url);
    this.#answered++;
    const number = this.#answered;
    const at = clock.elapsed();
    const now = clock.now();
    const renewAt = (expiries: readonly number[]) =>
      expiries.length === 0 ? undefined : at + renewalAt(Math.min(...expiries), now) - now;
    const pageExpiries = page?.expiresAt === undefined ? [] : [page.expiresAt];
    const said = { number, at, playlistUrl, page };
    if (playlist.kind === 'media') {
      const nothing = { variant: undefined, renditions: [], variables: {} };
      return { ...said, ...nothing, renewAt: renewAt(pageExpiries) };
    }
    const recorded = this.#recorded();
    const variants = audioOnly ? soundVariants(playlist.variants) : playlist.variants;
    // A better one may have come since: it would be another recording.
    const same = recorded === undefined ? [] : sameVariants(variants, recorded);
    const variant =
      same.length > 0
        ? chooseVariant(same, [...quality, 'best'])
        : chooseVariant(variants, quality);
    const renditions = chooseRenditions(variant, EVERY_RENDITION);
    const named = renditions.map(({ rendition }) => rendition.url);
    const expiries = [variant.url, ...variant.mirrors, ...named].flatMap(
      (address) => urlExpiry(address, { headers, now }) ?? [],
    );
    return {
      ...said,
      variant,
      renditions,
      variables: playlist.variables,
      renewAt: renewAt([...expiries, ...pageExpiries]),
    };
  }
}

const addressesOf = ({ variant, renditions }: Resolution): URL[] =>
  variant === undefined
    ? []
    : [variant.url, ...variant.mirrors, ...renditions.map(({ rendition }) => rendition.url)];
