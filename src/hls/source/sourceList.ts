import type { JobSpec } from '../../../machines/vocabulary.ts';
import type { Clock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import type { Rendition } from '../playlist/model.ts';
import type { Transport } from '../transport/transport.ts';
import { describedTracks, describedVariant, type TrackDescription } from './describeSource.ts';
import { LinkSource, MAIN_TRACK, type PageReader, type Resolution } from './linkSource.ts';
import { PlaylistSource } from './playlistSource.ts';
import type { RecordedVariant } from './variants.ts';

/** Redundant addresses of one variant that count; origins name one or two. */
const MIRRORS_MAX = 4;

export interface SourceListOptions {
  readonly spec: JobSpec;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Ends what is under way, with the recording. */
  readonly life: AbortSignal;
  /** For links that are pages. Absent: every link is a playlist. */
  readonly pages?: PageReader | undefined;
}

/**
 * Where a job's stream comes from: its links, in their order, and behind them the redundant addresses of the variants that they
 * led to, in the order in which they became known. A source's number stays.
 */
export class SourceList {
  readonly #options: SourceListOptions;
  readonly #links: readonly LinkSource[];
  #recorded: RecordedVariant | undefined;
  #tracks: readonly TrackDescription[] = [];
  readonly #mirrors: { readonly link: LinkSource; readonly index: number }[] = [];

  /** Throws `url.invalid`. */
  constructor(options: SourceListOptions) {
    this.#options = options;
    const { spec, transport, clock, life, pages } = options;
    this.#links = linksOf(spec).map(
      (url) =>
        new LinkSource({
          url,
          quality: spec.quality,
          audioOnly: spec.audioOnly,
          recorded: () => this.#recorded,
          transport,
          clock,
          life,
          pages,
        }),
    );
  }

  /** The recording holds what this `started` line describes: every link is asked for the same from now on. */
  hold(source: Readonly<Record<string, unknown>> | undefined): void {
    this.#recorded = describedVariant(source);
    this.#tracks = describedTracks(source);
  }

  get links(): number {
    return this.#links.length;
  }

  /** How many sources a track has. Redundant addresses are known for the main track only. */
  count(track: string): number {
    if (track !== MAIN_TRACK) return this.links;
    for (const link of this.#links) this.#learn(link);
    return this.links + this.#mirrors.length;
  }

  /** What the source's link led to, once it has answered. */
  resolution(source: number): Resolution | undefined {
    return this.#linkOf(source).resolution;
  }

  /** The playlist of a track from a source. Each is made once, by the track's feed. */
  playlist(track: string, source: number): PlaylistSource {
    const { transport, clock, life } = this.#options;
    const mirror = this.#mirrors[source - this.links];
    const link = this.#linkOf(source);
    return new PlaylistSource({
      link,
      address: (resolution) =>
        mirror === undefined
          ? this.#addressOf(track, resolution)
          : resolution.variant?.mirrors[mirror.index],
      transport,
      clock,
      life,
    });
  }

  #addressOf(track: string, { variant, renditions, playlistUrl }: Resolution): URL | undefined {
    if (track === MAIN_TRACK) return variant?.url ?? playlistUrl;
    const described = this.#tracks.find((one) => one.track === track);
    const labelled = renditions.find((chosen) => chosen.track === track)?.rendition;
    if (described === undefined) return labelled?.url;
    if (labelled !== undefined && isSame(labelled, described)) return labelled.url;
    const same = renditions.find(({ rendition }) => isSame(rendition, described));
    if (same !== undefined) return same.rendition.url;
    // Another link may call it otherwise; but what is known to be another track is not taken for this one.
    const isOther = labelled && this.#tracks.some((one) => isSame(labelled, one));
    return isOther === true ? undefined : labelled?.url;
  }

  #learn(link: LinkSource): void {
    const named = Math.min(MIRRORS_MAX, link.resolution?.variant?.mirrors.length ?? 0);
    if (named === 0) return;
    const known = this.#mirrors.filter((mirror) => mirror.link === link).length;
    for (let index = known; index < named; index++) this.#mirrors.push({ link, index });
  }

  #linkOf(source: number): LinkSource {
    const link = this.#links[source] ?? this.#mirrors[source - this.links]?.link;
    if (link === undefined) throw new Error(`there is no source ${source}`);
    return link;
  }
}

/** NAME is unique among the renditions of one language, their order is nobody's promise. */
const isSame = (rendition: Rendition, { kind, name, language }: TrackDescription): boolean =>
  rendition.kind === kind && rendition.name === name && rendition.language === language;

/** The job's links in order of preference. Throws `url.invalid`. */
export const linksOf = ({ url, fallbacks = [] }: JobSpec): URL[] =>
  [url, ...fallbacks].map(sourceUrl);

function sourceUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new KennelError('url.invalid', 'The link is not an http or https address.');
}
