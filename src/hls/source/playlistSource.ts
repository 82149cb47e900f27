import type { Clock } from '../../core/clock.ts';
import { isKennelError, KennelError } from '../../core/errors.ts';
import type { MasterPlaylist, MediaPlaylist, PlaylistCut, Variant } from '../playlist/model.ts';
import { PLAYLIST_CHARACTERS_MAX, parsePlaylist } from '../playlist/parsePlaylist.ts';
import { withDeadline } from '../transport/deadline.ts';
import { fetchText } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';
import { chooseVariant, describeVariant } from './variants.ts';

/** Refusals of a variant's address in a row before the master playlist is asked for a new one. */
const REFUSALS_MAX = 3;

export interface PlaylistSourceOptions {
  readonly url: URL;
  readonly quality: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: Transport;
  readonly clock: Clock;
}

export interface PlaylistPoll {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Asked for when the answer has come. */
  cut(): PlaylistCut | undefined;
}

/** The media playlist of one recording, wherever it is: named directly, or chosen from a master playlist. */
export class PlaylistSource {
  readonly #options: PlaylistSourceOptions;
  #mediaUrl: URL | undefined;
  #variant: Variant | undefined;
  #refusals = 0;
  #asked = 0;
  /** The last answer that was read, and how old its question was. */
  #read: { readonly text: string; readonly number: number } | undefined;

  constructor(options: PlaylistSourceOptions) {
    this.#options = options;
  }

  /** What is recorded, for people and the manifest. No addresses: they may hold tokens. */
  get description(): Readonly<Record<string, unknown>> {
    const variant = this.#variant;
    if (variant === undefined) return { playlist: 'media' };
    const { bandwidth, width, height, frameRate, codecs } = variant;
    const facts = { bandwidth, width, height, frameRate, codecs };
    return {
      playlist: 'master',
      variant: describeVariant(variant),
      ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
      ...(variant.renditions.some(({ kind }) => kind === 'audio') && {
        missing: 'the sound: it is in playlists of its own',
      }),
    };
  }

  /**
   * Asks once. `unchanged`: the same text as the last one that was read. Rejects with a KennelError: `source.notFound`,
   * `source.refused` or `source.unavailable` with `details.status`; what the transport and `parsePlaylist` reject with;
   * `source.unsupported` for what this engine cannot record, `quality.notFound`.
   */
  async poll(poll: PlaylistPoll): Promise<MediaPlaylist | 'unchanged'> {
    const { clock } = this.#options;
    this.#asked++;
    const number = this.#asked;
    try {
      const playlist = await withDeadline(
        { clock, timeoutMs: poll.timeoutMs, outer: poll.signal },
        async (signal) => await this.#ask({ ...poll, signal }, number),
      );
      this.#refusals = 0;
      return playlist;
    } catch (error) {
      this.#refused(error);
      throw error;
    }
  }

  async #ask(poll: PlaylistPoll, number: number): Promise<MediaPlaylist | 'unchanged'> {
    const mediaUrl = this.#mediaUrl ?? this.#options.url;
    const { text, url } = await this.#text(mediaUrl, poll);
    if (this.#mediaUrl !== undefined && text === this.#read?.text) return 'unchanged';
    const playlist = parsePlaylist(text, url, { cut: poll.cut() });
    if (playlist.kind === 'master') return await this.#choose(playlist, poll, number);
    return this.#accept(playlist, { mediaUrl, text, number });
  }

  async #choose(
    master: MasterPlaylist,
    poll: PlaylistPoll,
    number: number,
  ): Promise<MediaPlaylist | 'unchanged'> {
    const variant = chooseVariant(master.variants, this.#options.quality);
    const { text, url } = await this.#text(variant.url, poll);
    const playlist = parsePlaylist(text, url, { cut: poll.cut() });
    if (playlist.kind === 'master') {
      throw new KennelError('playlist.invalid', 'A variant leads to another master playlist.', {
        retryable: true,
      });
    }
    this.#variant = variant;
    return this.#accept(playlist, { mediaUrl: variant.url, text, number });
  }

  #accept(
    playlist: MediaPlaylist,
    from: { mediaUrl: URL; text: string; number: number },
  ): MediaPlaylist {
    if (playlist.segments.some(({ key }) => key !== undefined)) {
      throw new KennelError(
        'source.unsupported',
        'The stream is encrypted with AES-128, which this version cannot record yet.',
        { details: { method: 'AES-128' } },
      );
    }
    // Later polls go to this address again, not to where it redirected: the redirect may choose another server next time.
    this.#mediaUrl = from.mediaUrl;
    if (from.number > (this.#read?.number ?? 0)) this.#read = from;
    return playlist;
  }

  async #text(url: URL, poll: PlaylistPoll): Promise<{ text: string; url: URL }> {
    const { transport, headers } = this.#options;
    const answer = await fetchText({
      transport,
      url,
      headers,
      signal: poll.signal,
      idleTimeoutMs: poll.timeoutMs,
      bodyBytesMax: PLAYLIST_CHARACTERS_MAX,
    });
    const { status } = answer;
    if (status >= 200 && status < 300) return answer;
    const missing = status === 404 || status === 410;
    const refused = status === 401 || status === 403 || status === 451;
    throw new KennelError(
      missing ? 'source.notFound' : refused ? 'source.refused' : 'source.unavailable',
      `${url.host} answered ${status} for the playlist.`,
      { retryable: true, details: { host: url.host, status } },
    );
  }

  #refused(error: unknown): void {
    const refused =
      isKennelError(error) && (error.code === 'source.notFound' || error.code === 'source.refused');
    this.#refusals = refused ? this.#refusals + 1 : 0;
    // The address came from a master playlist and may have run out: the master names a fresh one.
    if (this.#variant !== undefined && this.#refusals >= REFUSALS_MAX) this.#mediaUrl = undefined;
  }
}
