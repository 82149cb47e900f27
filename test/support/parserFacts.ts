import type { types } from 'hls-parser';
import HLS from 'hls-parser';
import type {
  MasterPlaylist,
  MediaPlaylist,
  PlaylistSegment,
} from '../../src/hls/playlist/model.ts';
import { httpUrl } from '../../src/hls/playlist/segmentIdentity.ts';

// It writes every complaint to the console otherwise.
HLS.setOptions({ silent: true });

/** hls-parser does not say, or says something that is no value: nothing to compare. */
const UNSAID = Symbol('unsaid');

/** What two readers say about one playlist, each fact by its name; lists have an entry for each segment or variant. */
export interface Facts {
  readonly [fact: string]: unknown;
}

/** What hls-parser reads in it; undefined when it throws. */
export function parserFacts(text: string, base: URL): Facts | undefined {
  try {
    const parsed = HLS.parse(text);
    return parsed.isMasterPlaylist ? masterFacts(parsed, base) : mediaFacts(parsed, base);
  } catch {
    return undefined;
  }
}

/** The names of the facts in which the two differ. What hls-parser leaves open does not count. */
export const differing = (parser: Facts, ours: Facts): string[] =>
  Object.keys(parser).filter((fact) => !agrees(parser[fact], ours[fact]));

/** The names of the facts of which there is something to compare. */
export const said = (facts: Facts): string[] =>
  Object.keys(facts).filter((fact) => [facts[fact]].flat().some(isSaid));

const isSaid = (value: unknown): boolean =>
  value !== UNSAID && value !== undefined && value !== false;

function agrees(theirs: unknown, own: unknown): boolean {
  if (theirs === UNSAID || own === UNSAID) return true;
  if (!Array.isArray(theirs) || !Array.isArray(own)) return Object.is(theirs, own);
  return theirs.length === own.length && theirs.every((value, index) => agrees(value, own[index]));
}

/** Longer ones are cut to this here. */
const DURATION_MAX_S = 3600;
/** Zero too: it reads every text that is no number as 0. */
function durationOf(seconds: number | undefined): number | symbol {
  const ms = Math.round((seconds ?? 0) * 1000);
  return ms > 0 && ms <= DURATION_MAX_S * 1000 ? ms : UNSAID;
}

function mediaFacts(playlist: types.MediaPlaylist, base: URL): Facts {
  // A trailing part, hint or mark becomes a segment without an address there.
  const segments = playlist.segments.filter(({ uri }) => uri !== '');
  const ranges = rangesOf(segments);
  return {
    kind: 'media',
    target: durationOf(playlist.targetDuration),
    endList: playlist.endlist,
    numbers: segments.map(({ mediaSequenceNumber }) => mediaSequenceNumber),
    discontinuities: segments.map(({ discontinuitySequence }) => discontinuitySequence),
    addresses: segments.map(({ uri }) => httpUrl(uri, base)?.href ?? UNSAID),
    durations: segments.map(({ duration }) => durationOf(duration)),
    gaps: segments.map(
      ({ gap, uri }, index) =>
        gap === true ||
        httpUrl(uri, base) === undefined ||
        (ranges[index] === UNSAID ? UNSAID : false),
    ),
    ranges,
    keys: segments.map(({ key }) => keyOf(key, base)),
    inits: segments.map(({ map }) => initOf(map, base)),
    dates: segments.map(({ programDateTime }) => programDateTime?.getTime() || UNSAID),
  };
}

/** Nothing may say where it begins, which is -1 there. */
const isKnown = ({ offset, length }: types.Byterange): boolean =>
  offset >= 0 && length > 0 && Number.isSafeInteger(offset + length);

/** It reckons on from a beginning that it does not know. */
function rangesOf(segments: readonly types.Segment[]): unknown[] {
  const unknown = new Set<string>();
  return segments.map(({ byterange, uri }) => {
    // Its types leave out that there may be none.
    const range = byterange as types.Byterange | null | undefined;
    if (!range) return undefined;
    if (!isKnown(range)) unknown.add(uri);
    return unknown.has(uri) ? UNSAID : `${range.offset}+${range.length}`;
  });
}

function keyOf(key: types.Key | null | undefined, base: URL): unknown {
  if (!key || key.method === 'NONE') return undefined;
  if (key.iv && key.iv.byteLength !== 16) return UNSAID;
  const iv = key.iv ? Buffer.from(new Uint8Array(key.iv)).toString('hex') : '';
  return `${key.method} ${httpUrl(key.uri, base)?.href} ${iv}`;
}

function initOf(
  map: types.MediaInitializationSection | null | undefined,
  base: URL,
): string | undefined {
  if (!map) return undefined;
  const { uri, byterange } = map;
  const range = byterange && `${Math.max(0, byterange.offset)}+${byterange.length}`;
  return `${httpUrl(uri, base)?.href} ${range}`;
}

function masterFacts({ variants }: types.MasterPlaylist, base: URL): Facts {
  // An EXT-X-STREAM-INF that another tag follows has that tag for an address there.
  const listed = variants.filter(({ uri, isIFrameOnly }) => !isIFrameOnly && isAddress(uri, base));
  return {
    kind: 'master',
    variants: distinct(
      listed.map((variant) =>
        JSON.stringify([
          httpUrl(variant.uri, base)?.href,
          positive(variant.bandwidth) ?? 0,
          sizeOf(variant.resolution),
          positive(variant.frameRate),
          variant.codecs || undefined,
          [...variant.audio, ...variant.subtitles]
            .filter(({ uri }) => isAddress(uri, base))
            .map(({ name, language }) => [name, language?.trim() || undefined]),
        ]),
      ),
    ),
    renditions: distinct(
      listed.flatMap(({ audio, subtitles }) =>
        [...audio, ...subtitles]
          .filter(({ uri }) => isAddress(uri, base))
          .map((rendition) =>
            JSON.stringify([
              rendition.type.toLowerCase(),
              httpUrl(rendition.uri, base)?.href,
              rendition.name,
              rendition.language?.trim() || undefined,
              rendition.channels || undefined,
              Boolean(rendition.isDefault),
              Boolean(rendition.forced),
            ]),
          ),
      ),
    ),
  };
}

const isAddress = (uri: unknown, base: URL): boolean =>
  typeof uri === 'string' && httpUrl(uri, base) !== undefined;

const distinct = (list: readonly string[]): string[] => [...new Set(list)].sort();

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;

function sizeOf(size: types.Resolution | undefined): string | undefined {
  return size && positive(size.width) && positive(size.height)
    ? `${size.width}x${size.height}`
    : undefined;
}

/** The same facts of Kennel's model. */
export const ownFacts = (playlist: MasterPlaylist | MediaPlaylist): Facts =>
  playlist.kind === 'media' ? ownMediaFacts(playlist) : ownMasterFacts(playlist);

function ownMediaFacts({ segments, ...playlist }: MediaPlaylist): Facts {
  const each = (fact: (segment: PlaylistSegment) => unknown) => segments.map(fact);
  return {
    kind: 'media',
    target: playlist.targetDurationMs,
    endList: playlist.endList,
    numbers: each(({ msn }) => msn),
    discontinuities: each(({ discontinuity }) => discontinuity),
    addresses: each(({ url }) => url.href),
    durations: each(({ durationMs }) => durationMs),
    gaps: each(({ gap }) => gap),
    ranges: each(({ range }) => range && `${range.offset}+${range.length}`),
    keys: each(({ key }) => key && `${key.method} ${key.url.href} ${key.iv ?? ''}`),
    inits: each(
      ({ init }) =>
        init && `${init.url.href} ${init.range && `${init.range.offset}+${init.range.length}`}`,
    ),
    dates: each(({ wallClock }) => wallClock),
  };
}

function ownMasterFacts({ variants }: MasterPlaylist): Facts {
  const hasMirrors = variants.some(({ mirrors }) => mirrors.length > 0);
  return {
    kind: 'master',
    variants: distinct(
      variants.flatMap((variant) =>
        [variant.url, ...variant.mirrors].map(({ href }) =>
          JSON.stringify([
            href,
            variant.bandwidth,
            variant.width && `${variant.width}x${variant.height}`,
            variant.frameRate,
            variant.codecs,
            variant.renditions.map(({ name, language }) => [name, language]),
          ]),
        ),
      ),
    ),
    // Of a variant's mirrors the renditions are not kept.
    renditions: hasMirrors
      ? UNSAID
      : distinct(
          variants.flatMap(({ renditions }) =>
            renditions.map(({ kind, url, name, language, channels, isDefault, isForced }) =>
              JSON.stringify([kind, url.href, name, language, channels, isDefault, isForced]),
            ),
          ),
        ),
  };
}
