import type { Clock } from '../../core/clock.ts';
import { isKennelError, KennelError } from '../../core/errors.ts';
import type { MediaPlaylist, PlaylistCut } from '../playlist/model.ts';
import { parsePlaylist } from '../playlist/parsePlaylist.ts';
import { withDeadline } from '../transport/deadline.ts';
import type { FetchedText } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';
import type { LinkSource, Resolution } from './linkSource.ts';
import { playlistAnswer } from './playlistAnswer.ts';
import { directedUrl } from './reloadDirectives.ts';

/** Questions that an address failed in a row before its link is asked for a new one: it may have run out, or its host be gone. */
const FAILURES_MAX = 3;
/** Segments that are refused, none stored between them, before the same: the playlist itself may be served by a cache. */
const SEGMENT_REFUSALS_MAX = 3;
/** After a renewal that brought nothing better the next one waits: 2 s, doubled each time, up to a minute. */
const RENEW_AGAIN_FIRST_MS = 2_000;
const RENEW_AGAIN_LAST_MS = 60_000;
/** What the link said longer ago is not begun with: addresses that expire are good for a minute at least. */
const SAID_OLD_MS = 60_000;
/** Delta updates are asked for when a whole playlist is longer than this, characters: below it a full parse is cheap. */
const SKIP_ABOVE_CHARACTERS = 64 * 1024;
/** Questions with directives that failed in a row before they are not asked any more. */
const DIRECTED_FAILURES_MAX = 2;

export interface PlaylistSourceOptions {
  readonly link: LinkSource;
  /** The address of this source's media playlist, or undefined where the link names none. */
  address(resolution: Resolution): URL | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Ends what is under way, with the recording. */
  readonly life: AbortSignal;
}

export interface PlaylistPoll {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The origin may hold its answer back until the segment of this number is whole. Default: it answers at once. */
  readonly blockUntilMsn?: number | undefined;
  /** Asked for when the answer has come. */
  cut(): PlaylistCut | undefined;
}

/** Where the media playlist is, according to one answer of the link. */
interface Address {
  readonly url: URL;
  readonly resolution: Resolution;
}

interface Read {
  /** How old its question was. */
  readonly number: number;
  readonly text: string;
  /** Length of the last answer that left nothing out. */
  readonly wholeCharacters: number;
  /** What relative addresses in it refer to. */
  readonly base: string;
  /** It, where the next answer may be a delta update of it. */
  readonly playlist: MediaPlaylist | undefined;
}

/** The media playlist of one track from one source, wherever it is now. */
export class PlaylistSource {
  readonly #options: PlaylistSourceOptions;
  #address: Address | undefined;
  /** A newer address that has not answered yet. The old one is left when it has. */
  #fresh: Address | undefined;
  /** A poll is trying it; others take the old one meanwhile, so that a new one that hangs costs one poll. */
  #isTrying = false;
  #renewing = false;
  #renewals = 0;
  #renewNotBefore = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #segmentRefusals = 0;
  #directedFailures = 0;
  #isPlainNext = false;
  /** What the link said last that led nowhere. */
  #outdated: Resolution | undefined;
  #bug: { readonly error: unknown } | undefined;
  #asked = 0;
  #last: Read | undefined;

  constructor(options: PlaylistSourceOptions) {
    this.#options = options;
  }

  /**
   * Asks once. `unchanged`: the same text as the last one that was read. Rejects as `LinkSource.resolve`, `playlistAnswer` and
   * `parsePlaylist` do; with `source.notFound` when the link has no such track.
   */
  async poll(poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'> {
    const { clock } = this.#options;
    this.#asked++;
    const number = this.#asked;
    try {
      await this.#askPage(poll.signal);
      const answer = await withDeadline(
        { clock, timeoutMs: poll.timeoutMs, outer: poll.signal },
        async (signal) => await this.#ask({ ...poll, signal }, number),
      );
      this.#failures = 0;
      return answer;
    } catch (error) {
      if (isKennelError(error) && !poll.signal.aborted) this.#failures++;
      throw error;
    }
  }

  /** A segment of this source was stored, or refused although the playlist lists it. */
  segmentEnded(outcome: 'stored' | 'refused'): void {
    this.#segmentRefusals = outcome === 'stored' ? 0 : this.#segmentRefusals + 1;
  }

  async #ask(poll: PlaylistPoll, number: number): Promise<MediaPlaylist | 'unchanged'> {
    if (this.#bug !== undefined) throw this.#bug.error;
    if (this.#address === undefined) return await this.#begin(poll, number);
    this.#renewWhenDue(this.#address);
    const fresh = this.#fresh;
    if (fresh === undefined || this.#isTrying) return await this.#read(this.#address, poll, number);
    this.#isTrying = true;
    try {
      const answer = await this.#read(fresh, poll, number);
      this.#move(fresh);
      return answer;
    } catch (error) {
      this.#fresh = undefined;
      this.#outdated = fresh.resolution;
      if (poll.signal.aborted || !isKennelError(error)) throw error;
      return await this.#read(this.#address, poll, number);
    } finally {
      this.#isTrying = false;
    }
  }

  /**
   * Who reads pages may take longer than a poll: until there is an address, a poll lasts as long as that takes. What comes of it is
   * told by the poll itself.
   */
  async #askPage(signal: AbortSignal): Promise<void> {
    const { link, clock } = this.#options;
    if (!link.isPage || this.#address !== undefined) return;
    this.#doubt(clock.elapsed());
    await link.resolve({ after: this.#nowhere(clock.elapsed()), signal });
  }

  async #begin(poll: PlaylistPoll, number: number): Promise<MediaPlaylist | 'unchanged'> {
    const { link, clock } = this.#options;
    const known = link.resolution;
    const now = clock.elapsed();
    if (!link.isPage) this.#doubt(now);
    const resolution = await link.resolve({ after: this.#nowhere(now), signal: poll.signal });
    const address = this.#addressIn(resolution);
    // An answer that has just told what the link is holds the first playlist already; an older one is no playlist of now.
    const media = link.takeMedia();
    const answer =
      media === undefined || resolution === known
        ? await this.#read(address, poll, number)
        : this.#accept(address, { ...media, number }, poll);
    this.#address ??= address;
    return answer;
  }

  /** What the link has said is not to be begun with when that has failed too often. */
  #doubt(now: number): void {
    if (this.#failures >= FAILURES_MAX && this.#mayRenew(now)) {
      this.#outdated = this.#options.link.resolution;
    }
  }

  /** The newest that the link has said and that is not to be used (any more). */
  #nowhere(now: number): Resolution | undefined {
    const said = this.#options.link.resolution;
    const { renewAt = Number.POSITIVE_INFINITY, at = now } = said ?? {};
    if (now >= renewAt || now - at >= SAID_OLD_MS) return said;
    const used = this.#address?.resolution;
    return (used?.number ?? 0) > (this.#outdated?.number ?? 0) ? used : this.#outdated;
  }

  /** Whether the link may be asked again; then it is to be. */
  #mayRenew(now: number): boolean {
    if (now < this.#renewNotBefore) return false;
    const waitMs = Math.min(RENEW_AGAIN_LAST_MS, RENEW_AGAIN_FIRST_MS * 2 ** this.#renewals);
    this.#renewals++;
    this.#renewNotBefore = now + waitMs;
    return true;
  }

  #addressIn(resolution: Resolution): Address {
    const url = this.#options.address(resolution);
    if (url !== undefined) return { url, resolution };
    const { host } = this.#options.link.url;
    throw new KennelError('source.notFound', `${host} has no such track.`, {
      retryable: true,
      details: { host },
    });
  }

  #move(address: Address): void {
    if (this.#fresh !== address) return;
    this.#address = address;
    this.#fresh = undefined;
    // Whether its segments are refused as well is yet to be seen.
    if (this.#segmentRefusals < SEGMENT_REFUSALS_MAX) this.#renewals = 0;
    this.#segmentRefusals = 0;
  }

  async #read(
    address: Address,
    poll: PlaylistPoll,
    number: number,
  ): Promise<MediaPlaylist | 'unchanged'> {
    const { transport } = this.#options;
    const { signal, timeoutMs } = poll;
    const ask = async (url: URL) => await playlistAnswer({ url, transport, signal, timeoutMs });
    const url = this.#directed(address.url, poll);
    const isDirected = url !== address.url;
    try {
      const answer = this.#accept(address, { ...(await ask(url)), number }, poll);
      this.#isPlainNext = false;
      if (isDirected) this.#directedFailures = 0;
      return answer;
    } catch (error) {
      const isKnown = isKennelError(error) && !signal.aborted;
      if (isDirected && isKnown && error.details['delta'] === true) {
        return this.#accept(address, { ...(await ask(address.url)), number }, poll);
      }
      // Where the plain question fails as well, the directives are not to blame.
      this.#directedFailures = isDirected ? this.#directedFailures + 1 : 0;
      this.#isPlainNext = isDirected;
      throw error;
    }
  }

  /** With what a low-latency origin understands; once without when that has failed, and for good when it fails again. */
  #directed(url: URL, { blockUntilMsn }: PlaylistPoll): URL {
    const last = this.#last;
    if (last === undefined || this.#isPlainNext) return url;
    if (this.#directedFailures >= DIRECTED_FAILURES_MAX) return url;
    const skip = last.playlist !== undefined && last.wholeCharacters > SKIP_ABOVE_CHARACTERS;
    return directedUrl(url, { msn: blockUntilMsn, skip });
  }

  #accept(
    { resolution }: Address,
    answer: FetchedText & { readonly number: number },
    poll: PlaylistPoll,
  ): MediaPlaylist | 'unchanged' {
    const { text, url, number } = answer;
    const base = url.origin + url.pathname;
    const last = this.#last;
    if (last !== undefined && text === last.text && base === last.base) return 'unchanged';
    const { variables } = resolution;
    const playlist = parsePlaylist(text, url, {
      cut: poll.cut(),
      variables,
      // A newer address may be another variant's: its delta updates leave out what that one listed.
      previous: last?.base.endsWith(url.pathname) === true ? last.playlist : undefined,
    });
    if (playlist.kind === 'master') {
      // A link may become something else; a variant may not.
      if (resolution.variant === undefined) {
        this.#address = undefined;
        this.#outdated = resolution;
      }
      throw new KennelError('playlist.invalid', 'A master playlist stands for a media playlist.', {
        retryable: true,
      });
    }
    this.#options.link.met(playlist);
    if (number > (last?.number ?? 0)) {
      const skips = playlist.serverControl?.canSkipUntilMs !== undefined;
      const isDelta = last !== undefined && text.includes('#EXT-X-SKIP:');
      const wholeCharacters = isDelta ? last.wholeCharacters : text.length;
      this.#last = { number, text, wholeCharacters, base, playlist: skips ? playlist : undefined };
    }
    return playlist;
  }

  /** Asks the link beside the polls; the old address is used until the new one has answered. */
  #renewWhenDue({ resolution }: Address): void {
    const { clock, link, life } = this.#options;
    const now = clock.elapsed();
    // A link that is a media playlist leads nowhere else: it is asked again with every poll.
    const leadsElsewhere = resolution.variant !== undefined || link.isPage;
    if (!leadsElsewhere || this.#renewing || this.#fresh !== undefined) return;
    const { renewAt = Number.POSITIVE_INFINITY } = resolution;
    const isLost = this.#failures >= FAILURES_MAX || this.#segmentRefusals >= SEGMENT_REFUSALS_MAX;
    if ((!isLost && now < renewAt) || !this.#mayRenew(now)) return;
    this.#renewing = true;
    void this.#renew(link.resolve({ after: this.#nowhere(now), signal: life })).finally(() => {
      this.#renewing = false;
    });
  }

  async #renew(resolving: Promise<Resolution>): Promise<void> {
    try {
      this.#fresh = this.#addressIn(await resolving);
    } catch (error) {
      // The polls tell how the source is. What is no KennelError is a bug, and theirs to throw.
      if (!isKennelError(error) && !this.#options.life.aborted) this.#bug = { error };
    }
  }
}
