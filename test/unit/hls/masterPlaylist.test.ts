import { describe, expect, it } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import {
  GROUP_RENDITIONS_MAX,
  RENDITIONS_MAX,
  VARIANTS_MAX,
} from '../../../src/hls/playlist/masterLines.ts';
import type { MasterPlaylist } from '../../../src/hls/playlist/model.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';

const base = new URL('http://origin.test/live/index.m3u8?quote=%22%0A%23EXTINF:1,');

function master(lines: readonly string[]): MasterPlaylist {
  const playlist = parsePlaylist(['#EXTM3U', ...lines, ''].join('\n'), base);
  if (playlist.kind !== 'master') throw new Error('it is a media playlist');
  return playlist;
}

function refusal(lines: readonly string[]): string | undefined {
  try {
    master(lines);
    return undefined;
  } catch (error) {
    return isKennelError(error) && error.code === 'playlist.invalid' ? error.message : 'a bug';
  }
}

const VARIANT = ['#EXT-X-STREAM-INF:BANDWIDTH=5,NAME="x",AUDIO="a"', 'v.m3u8'];
const media = (rest: string) => `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",${rest}`;
const names = ({ variants }: MasterPlaylist) => variants[0]?.renditions.map(({ name }) => name);

describe('a sloppy master playlist', () => {
  it.each([
    '#EXT-X-MEDIA',
    '#EXT-X-MEDIA:',
    '#EXT-X-STREAM-INF',
    '#EXT-X-SESSION-KEY',
    '#EXT-X-SESSION-KEY:METHOD=AES-128,IV',
    '#EXT-X-STREAM-INF:BANDWIDTH=7,RESOLUTION',
    '#EXT-X-MEDIA:TYPE=AUDIO,NAME="of no group",URI="x"',
    '#EXT-X-MEDIA:TYPE=NAME,GROUP-ID="x",NAME="of no type",URI="x"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",X-OWN,NAME="odd",URI="file:///x"',
    '#EXT-X-TARGETDURATION:4',
    '#EXTINF',
  ])('loses the line that cannot be read, and nothing else: %s', (line) => {
    const playlist = master([media('NAME="one",URI="one"'), line, ...VARIANT]);
    expect(playlist.variants.map(({ bandwidth }) => bandwidth)).toEqual([5]);
    expect(names(playlist)).toEqual(['one']);
  });

  it('keeps what can be read of an attribute list', () => {
    const { variants } = master([
      '#EXT-X-STREAM-INF:RESOLUTION,BANDWIDTH = 7 , codecs="mp4a.40.2',
      'v.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=1e999,RESOLUTION=1920x,FRAME-RATE=-25',
      'w.m3u8',
    ]);
    expect(variants[0]).toMatchObject({ bandwidth: 7, codecs: 'mp4a.40.2', audioOnly: true });
    expect(variants[1]).toMatchObject({ bandwidth: 0, audioOnly: false });
    for (const key of ['width', 'height', 'frameRate']) expect(variants[1]).not.toHaveProperty(key);
  });

  it('may have apostrophes, commas and equals signs in its texts', () => {
    const { variants } = master([
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="l'un",NAME="Director's cut, 5=5",LANGUAGE="en",URI="director's.m3u8"`,
      `#EXT-X-STREAM-INF:NAME="l'original",BANDWIDTH=5,AUDIO="l'un"`,
      "it's.m3u8",
    ]);
    expect(variants).toMatchObject([{ name: "l'original", url: new URL("it's.m3u8", base) }]);
    expect(variants[0]?.renditions).toMatchObject([
      { name: "Director's cut, 5=5", language: 'en', url: new URL("director's.m3u8", base) },
    ]);
  });

  it('gets no lines from its variables', () => {
    const { variants } = master([
      '#EXT-X-DEFINE:QUERYPARAM="quote"',
      media('NAME="a{$quote}b",URI="x"'),
      '#EXT-X-STREAM-INF:BANDWIDTH=5,AUDIO="a",CODECS="{$quote}"',
      'v.m3u8',
    ]);
    expect(variants[0]).toMatchObject({
      codecs: '#EXTINF:1,',
      renditions: [{ name: 'a#EXTINF:1,b' }],
    });
  });
});

describe('a master playlist that is too large to be one', () => {
  const many = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index));

  it('is refused, and one that is as large as can be is not', () => {
    const inGroups = (count: number) =>
      many(
        count,
        (index) =>
          `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="${index % 20}",NAME="${index}",URI="${index}"`,
      );
    const variants = (count: number) =>
      many(count, (index) => `#EXT-X-STREAM-INF:BANDWIDTH=${index + 1}\n${index}`);
    const inOneGroup = (count: number) => many(count, (index) => media(`NAME="${index}",URI="x"`));
    expect(refusal([...inGroups(RENDITIONS_MAX), ...variants(VARIANTS_MAX)])).toBeUndefined();
    expect(refusal([...inOneGroup(GROUP_RENDITIONS_MAX), ...VARIANT])).toBeUndefined();
    expect(refusal([...inGroups(RENDITIONS_MAX + 1), ...VARIANT])).toContain('renditions');
    expect(refusal(variants(VARIANTS_MAX + 1))).toContain('variants');
    expect(refusal([...inOneGroup(GROUP_RENDITIONS_MAX + 1), ...VARIANT])).toContain('renditions');
  });
});
