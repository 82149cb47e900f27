import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import type {
  MasterPlaylist,
  MediaPlaylist,
  PlaylistCut,
} from '../../../src/hls/playlist/model.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';

const base = new URL('http://origin.test/live/index.m3u8?token=1');

function media(lines: readonly string[], cut?: PlaylistCut): MediaPlaylist {
  const playlist = parsePlaylist(['#EXTM3U', ...lines, ''].join('\n'), base, { cut });
  if (playlist.kind !== 'media') throw new Error('it is a master playlist');
  return playlist;
}

function master(lines: readonly string[]): MasterPlaylist {
  const playlist = parsePlaylist(['#EXTM3U', ...lines, ''].join('\n'), base);
  if (playlist.kind !== 'master') throw new Error('it is a media playlist');
  return playlist;
}

function codeOf(body: string): string | undefined {
  try {
    parsePlaylist(body, base);
    return undefined;
  } catch (error) {
    return isKennelError(error) ? error.code : 'not a KennelError';
  }
}

const paths = ({ segments }: MediaPlaylist) => segments.map(({ msn, url }) => [msn, url.pathname]);

describe('a media playlist', () => {
  it('gives every segment its number, address, duration and place in the timeline', () => {
    const playlist = media([
      '#EXT-X-TARGETDURATION:4',
      '#EXT-X-MEDIA-SEQUENCE:10',
      '#EXT-X-DISCONTINUITY-SEQUENCE:2',
      '#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z',
      '#EXTINF:4.0,',
      'a.m4s?token=1',
      '#EXTINF:3.5,',
      'b.m4s',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-GAP',
      '#EXTINF:4,',
      '/c.m4s',
      '#EXT-X-ENDLIST',
    ]);
    const at = Date.parse('2026-01-01T00:00:00.000Z');
    expect(playlist).toMatchObject({
      targetDurationMs: 4_000,
      mediaSequence: 10,
      discontinuitySequence: 2,
      endList: true,
      windowMs: 11_500,
    });
    const init = {
      url: new URL('http://origin.test/live/init.mp4'),
      range: { offset: 0, length: 100 },
    };
    expect(playlist.segments).toMatchObject([
      {
        msn: 10,
        identity: '/live/a.m4s',
        durationMs: 4_000,
        discontinuity: 2,
        wallClock: at,
        init,
      },
      { msn: 11, durationMs: 3_500, wallClock: at + 4_000, gap: false, init },
      { msn: 12, identity: '/c.m4s', discontinuity: 3, gap: true },
    ]);
    expect(playlist.segments[2]?.wallClock).toBeUndefined();
  });

  it('keeps byte ranges, also those that go on where the last one ended', () => {
    const { segments } = media([
      '#EXTINF:1,',
      '#EXT-X-BYTERANGE:100@50',
      'all.ts',
      '#EXTINF:1,',
      '#EXT-X-BYTERANGE:30',
      'all.ts',
      '#EXTINF:1,',
      '#EXT-X-BYTERANGE:30',
      'other.ts',
    ]);
    expect(segments.map(({ range }) => range?.offset)).toEqual([50, 150, undefined]);
    expect(segments.map(({ gap }) => gap)).toEqual([false, false, true]);
    expect(new Set(segments.map(({ identity }) => identity)).size).toBe(3);
  });

  it('tells segments apart by the query where the path does not', () => {
    const { segments } = media(['#EXTINF:1,', 'chunk?n=1', '#EXTINF:1,', 'chunk?n=2']);
    expect(segments.map(({ identity }) => identity)).toEqual([
      '/live/chunk?n=1',
      '/live/chunk?n=2',
    ]);
  });

  it('loses a line that it cannot read, and nothing else', () => {
    const playlist = media([
      '#EXT-X-TARGETDURATION:nonsense',
      '#EXT-X-MEDIA-SEQUENCE:5',
      '#EXT-X-PROGRAM-DATE-TIME:whenever',
      '#EXT-X-DATERANGE:ID=',
      '#EXTINF:2.0,Title with ü and %E0%A4%A',
      'a.ts',
      'b.ts',
      '#EXT-X-PART:DURATION=0.5,URI="c.part"',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="d.part"',
      '#EXTINF:2',
    ]);
    expect(paths(playlist)).toEqual([
      [5, '/live/a.ts'],
      [6, '/live/b.ts'],
    ]);
    expect(playlist.segments.map(({ durationMs }) => durationMs)).toEqual([2_000, 2_000]);
  });

  it('is refused when a line is unreadable without which the rest would be a lie', () => {
    for (const line of [
      '#EXT-X-KEY:METHOD=AES-128',
      '#EXT-X-MAP:BYTERANGE="5@0"',
      '#EXT-X-MEDIA-SEQUENCE:-4',
    ]) {
      expect(codeOf(`#EXTM3U\n${line}\n#EXTINF:1,\na.ts`)).toBe('playlist.invalid');
    }
  });

  it('is refused when it is protected, and carries a plain key as it is', () => {
    const drm =
      '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"';
    expect(codeOf(`#EXTM3U\n${drm}\n#EXTINF:1,\na.ts`)).toBe('source.encrypted');
    const { segments } = media([
      '#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x000102030405060708090A0B0C0D0E0F',
      '#EXTINF:1,',
      'a.ts',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXTINF:1,',
      'b.ts',
    ]);
    expect(segments.map(({ key }) => [key?.url.pathname, key?.iv])).toEqual([
      ['/live/k1', '000102030405060708090a0b0c0d0e0f'],
      [undefined, undefined],
    ]);
  });

  it.each([
    ['', 'an empty body'],
    ['<html><body>login</body></html>', 'a page'],
    ['#EXTM3U', 'nothing but the first line'],
    ['#EXTM3U8\n#EXTINF:1,\na.ts', 'another first line'],
    [
      '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:1,\na.ts',
      'a delta update',
    ],
  ])('is not made of %j (%s)', (body) => {
    expect(codeOf(body)).toBe('playlist.invalid');
  });

  it('may begin with a byte order mark, and may be empty before a stream begins', () => {
    expect(codeOf('\uFEFF#EXTM3U\n#EXTINF:1,\na.ts')).toBeUndefined();
    expect(media(['#EXT-X-TARGETDURATION:4']).segments).toEqual([]);
  });

  it('never makes anything but a playlist or a KennelError of what it reads', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '#EXTINF:',
        '#EXTINF:1,',
        'a.ts',
        '#EXT-X-MAP:',
        '#EXT-X-KEY:METHOD',
        '#EXT-X-BYTERANGE:x',
        '#EXT-X-STREAM-INF:',
        '#EXT-X-MEDIA:TYPE=AUDIO',
        '#EXT-X-ENDLIST',
        '#EXT-X-GAP',
        '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x',
        '#EXT-X-MEDIA-SEQUENCE:9e99',
        'http://[',
        '#EXT-X-DISCONTINUITY',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        expect(['playlist.invalid', 'source.encrypted', undefined]).toContain(
          codeOf(['#EXTM3U', ...lines].join('\n')),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('a long playlist', () => {
  const long = (first: number, path = 'p') => {
    const lines = [
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-MAP:URI="i0.mp4"',
    ];
    lines.push('#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z');
    for (let msn = first; msn < first + 2_000; msn++) {
      if (msn % 300 === 0) lines.push('#EXT-X-DISCONTINUITY', `#EXT-X-MAP:URI="i${msn}.mp4"`);
      if (msn % 300 === 7) lines.push('#EXT-X-PROGRAM-DATE-TIME:2026-01-02T00:00:00.000Z');
      lines.push('#EXTINF:2.0,', `${path}/a-rather-long-segment-name-${msn}.m4s?token=${first}`);
    }
    return lines;
  };
  const cut = (fromMsn: number, msn: number): PlaylistCut => ({
    fromMsn,
    anchor: { msn, identity: `/live/p/a-rather-long-segment-name-${msn}.m4s` },
  });

  it('is cut to its tail, which is exactly what it is in the whole', () => {
    const whole = media(long(100));
    for (const fromMsn of [101, 899, 900, 901, 1_507, 2_050]) {
      const tail = media(long(100), cut(fromMsn, 2_060));
      expect(tail.segments).toEqual(whole.segments.slice(fromMsn - 100));
      expect({ ...tail, segments: [] }).toEqual({ ...whole, segments: [] });
    }
  });

  it('goes on telling segments apart by the query when only its head makes that necessary', () => {
    const lines = ['#EXT-X-TARGETDURATION:2'];
    for (let msn = 0; msn < 1_000; msn++) {
      const path = msn < 2 ? 'slate.ts' : `a-rather-long-segment-name-${msn}.ts`;
      lines.push('#EXTINF:2,', `${path}?n=${msn}`);
    }
    const whole = media(lines);
    const anchor = whole.segments[950];
    if (anchor === undefined) throw new Error('there is no such segment');
    const tail = media(lines, { fromMsn: 900, anchor });
    expect(tail.segments).toEqual(whole.segments.slice(900));
    expect(tail.segments[0]?.identity).toContain('?n=900');
  });

  it('takes nothing for a date that only looks like one', () => {
    const lines = long(100);
    const lookalike = '#EXT-X-PART:URI="1234567:2026-05-05T00:00:00Z';
    expect(lookalike.indexOf(':2026')).toBe('#EXT-X-PROGRAM-DATE-TIME'.length);
    lines.splice(lines.length - 400, 0, lookalike);
    const whole = media(lines);
    const tail = media(lines, cut(2_050, 2_060));
    expect(tail.segments.slice(-50)).toEqual(whole.segments.slice(-50));
  });

  it('is read whole when its numbers do not mean what they meant', () => {
    expect(media(long(100, 'q'), cut(2_000, 2_060)).segments).toHaveLength(2_000);
    expect(media(long(50), cut(2_049, 2_060)).segments).toHaveLength(2_000);
  });
});

describe('a master playlist', () => {
  it('lists its variants with what it says about them', () => {
    const { variants } = master([
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="en.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="en"',
      '#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,FRAME-RATE=50,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="b"',
      'mid.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=6000000,RESOLUTION=1920x1080,AUDIO="a",NAME="source"',
      'high.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.5"',
      'sound.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=1',
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,URI="iframes.m3u8"',
    ]);
    expect(variants).toMatchObject([
      { bandwidth: 3_000_000, width: 1280, height: 720, frameRate: 50, renditions: [] },
      { bandwidth: 6_000_000, renditions: [{ name: 'en' }], name: 'source', audioOnly: false },
      { bandwidth: 64_000, audioOnly: true },
    ]);
    expect(variants.map(({ url }) => url.pathname)).toEqual([
      '/live/mid.m3u8',
      '/live/high.m3u8',
      '/live/sound.m3u8',
    ]);
  });

  it('is refused when none of its variants can be read', () => {
    expect(codeOf('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1')).toBe('playlist.invalid');
  });
});
