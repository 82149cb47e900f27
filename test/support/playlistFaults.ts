import { MARK_VALUE_CHARACTERS_MAX, MARKS_MAX } from '../../src/hls/playlist/marks.ts';
import type {
  ByteRange,
  MasterPlaylist,
  MediaPlaylist,
  PlaylistMark,
  PlaylistSegment,
  SegmentEncryption,
} from '../../src/hls/playlist/model.ts';
import { chooseRenditions } from '../../src/hls/source/renditions.ts';

/** What a model promises and does not keep, in words. Empty for a good one. Fast: it judges tens of thousands. */
export function playlistFaults(playlist: MasterPlaylist | MediaPlaylist): string[] {
  return playlist.kind === 'master' ? masterFaults(playlist) : mediaFaults(playlist);
}

const isWhole = (value: number) => Number.isSafeInteger(value) && value >= 0;
const isHttp = (url: URL) => url.protocol === 'http:' || url.protocol === 'https:';

function mediaFaults(playlist: MediaPlaylist): string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) faults.push(what);
  };
  must(playlist.targetDurationMs > 0 && isWhole(playlist.targetDurationMs), 'target duration');
  must(isWhole(playlist.mediaSequence), 'media sequence');
  must(isWhole(playlist.discontinuitySequence), 'discontinuity sequence');
  must(isWhole(playlist.windowMs), 'window');
  let before: PlaylistSegment | undefined;
  let marks = 0;
  for (const segment of playlist.segments) {
    must(isWhole(segment.msn) && segment.msn >= playlist.mediaSequence, 'number');
    must(before === undefined || segment.msn === before.msn + 1, 'numbers in a row');
    must((before?.discontinuity ?? 0) <= segment.discontinuity, 'discontinuities go up');
    must(isWhole(segment.durationMs), 'duration');
    must(isHttp(segment.url), 'address');
    must(segment.identity !== '', 'identity');
    must(isRange(segment.range), 'range');
    must(isKey(segment.key), 'key');
    must(segment.wallClock === undefined || Number.isSafeInteger(segment.wallClock), 'date');
    const { init } = segment;
    must(init === undefined || (isHttp(init.url) && isRange(init.range)), 'init section');
    must(init?.key === undefined || (isKey(init.key) && init.key.iv !== undefined), 'init key');
    for (const mark of segment.marks ?? []) must(isMark(mark), 'mark');
    marks += segment.marks?.length ?? 0;
    before = segment;
  }
  must(marks <= MARKS_MAX, 'number of marks');
  return faults;
}

const isRange = (range: ByteRange | undefined): boolean =>
  range === undefined ||
  (isWhole(range.offset) && isWhole(range.length + range.offset) && range.length > 0);

const isKey = (key: SegmentEncryption | undefined): boolean =>
  key === undefined || (isHttp(key.url) && (key.iv === undefined || /^[0-9a-f]{32}$/.test(key.iv)));

const isMark = ({ tag, value, durationMs, startsAt }: PlaylistMark): boolean =>
  tag !== '' &&
  value.length <= MARK_VALUE_CHARACTERS_MAX &&
  (durationMs === undefined || isWhole(durationMs)) &&
  (startsAt === undefined || Number.isSafeInteger(startsAt));

function masterFaults({ variants }: MasterPlaylist): string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) faults.push(what);
  };
  must(variants.length > 0, 'variants');
  for (const variant of variants) {
    const addresses = [variant.url, ...variant.mirrors];
    must(addresses.every(isHttp), 'address');
    must(new Set(addresses.map(({ href }) => href)).size === addresses.length, 'mirrors');
    must(Number.isFinite(variant.bandwidth) && variant.bandwidth >= 0, 'bandwidth');
    must(
      variant.renditions.every(({ url, name }) => isHttp(url) && name !== ''),
      'renditions',
    );
    const tracks = chooseRenditions(variant, { audio: ['all'] }).map(({ track }) => track);
    must(tracks.length === variant.renditions.length, 'every rendition can be chosen');
    must(new Set(tracks).size === tracks.length, 'every track has a name of its own');
    must(
      tracks.every((track) => /^[\w.:-]{1,64}$/.test(track)),
      'names of tracks',
    );
  }
  return faults;
}
