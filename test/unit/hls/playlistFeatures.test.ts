import { describe, expect, it } from 'vitest';
import { isKennelError, type KennelError } from '../../../src/core/errors.ts';
import { MARK_VALUE_CHARACTERS_MAX, MARKS_MAX } from '../../../src/hls/playlist/marks.ts';
import type { MasterPlaylist, MediaPlaylist } from '../../../src/hls/playlist/model.ts';
import { type ParseOptions, parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';
import { playlistFixture } from '../../support/playlists.ts';

const base = new URL('http://origin.test/live/index.m3u8?token=s3cret');

function read(text: string, options?: ParseOptions): MediaPlaylist {
  const playlist = parsePlaylist(text, base, options);
  if (playlist.kind !== 'media') throw new Error('it is a master playlist');
  return playlist;
}

function readMaster(text: string): MasterPlaylist {
  const playlist = parsePlaylist(text, base);
  if (playlist.kind !== 'master') throw new Error('it is a media playlist');
  return playlist;
}

function refusal(text: string, options?: ParseOptions): KennelError {
  try {
    parsePlaylist(text, base, options);
  } catch (error) {
    if (isKennelError(error)) return error;
    throw error;
  }
  throw new Error('it was read');
}

const media = (...lines: readonly string[]) =>
  ['#EXTM3U', '#EXT-X-TARGETDURATION:6', ...lines, ''].join('\n');

describe('dates', () => {
  it('are carried on and back to every segment of the same timeline', () => {
    const { segments } = read(playlistFixture('live'));
    const at = Date.parse('2026-03-01T17:00:04.000Z');
    expect(segments.map(({ wallClock }) => wallClock)).toEqual([
      at - 4_004,
      at,
      at + 4_004,
      undefined,
      undefined,
    ]);
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([3, 3, 3, 4, 4]);
    expect(segments.map(({ gap }) => gap)).toEqual([false, false, false, false, true]);
  });

  it('without a zone are UTC, with any zone are what they say, and otherwise are none', () => {
    const dated = (date: string) =>
      read(media(`#EXT-X-PROGRAM-DATE-TIME:${date}`, '#EXTINF:6,', '1.ts')).segments[0]?.wallClock;
    const noon = Date.parse('2026-03-01T12:00:00Z');
    for (const date of [
      '12:00:00',
      '12:00:00Z',
      '13:00:00+01:00',
      '13:00:00+0100',
      '13:00:00+01',
    ]) {
      expect(dated(`2026-03-01T${date}`)).toBe(noon);
    }
    expect(dated('1 March 2026')).toBeUndefined();
    const blank = '#EXT-X-PROGRAM-DATE-TIME :2026-03-01T12:00:00Z';
    expect(read(media(blank, '#EXTINF:6,', '1.ts')).segments[0]?.wallClock).toBe(noon);
  });
});

describe('byte ranges', () => {
  it('go on where the last one of the same resource ended, whatever stands between', () => {
    const { segments, endList } = read(playlistFixture('fragmented'));
    expect(segments.map(({ range }) => range)).toEqual([
      undefined,
      undefined,
      { offset: 812, length: 5_000 },
      { offset: 5_812, length: 4_000 },
      { offset: 7, length: 100 },
      { offset: 9_812, length: 300 },
      undefined,
    ]);
    expect(segments.map(({ init }) => init?.url.pathname)).toEqual([
      '/live/v1/head.mp4',
      '/live/v1/head.mp4',
      ...Array.from({ length: 5 }, () => '/live/v2/all.mp4'),
    ]);
    expect(endList).toBe(true);
  });

  it('that nothing gives a beginning make a gap, not a guess', () => {
    const last = read(playlistFixture('fragmented')).segments.at(-1);
    expect(last).toMatchObject({ gap: true, msn: 46 });
  });
});

describe('keys', () => {
  it('are those in force where the segment or its initialisation section stands', () => {
    const { segments } = read(playlistFixture('keys'));
    const iv = '000000000000000000000000000000ab';
    expect(segments.map(({ key }) => key && [key.url.pathname + key.url.search, key.iv])).toEqual([
      ['/live/keys/1', iv],
      ['/live/keys/2?a=1,2', undefined],
      ['/live/keys/2?a=1,2', undefined],
      ['/live/keys/3', undefined],
      undefined,
    ]);
    expect(segments[1]?.init?.key).toMatchObject({ method: 'AES-128', iv });
    // No IV: the section cannot be encrypted, only the segments.
    expect(segments[2]?.init).toEqual({ url: new URL('open.mp4', base) });
  });

  it('that only a player with a licence has are refused by the name of their system', () => {
    const { code, message, details } = refusal(playlistFixture('protected'));
    expect(code).toBe('source.encrypted');
    expect(message).toContain('SAMPLE-AES-CTR (Widevine, PlayReady)');
    expect(details).toMatchObject({ systems: ['Widevine', 'PlayReady'] });
    const plain = media('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"', '#EXTINF:6,', '1.ts');
    expect(refusal(plain)).toMatchObject({ code: 'source.encrypted', retryable: false });
  });

  it.each([
    '#EXT-X-KEY:METHOD=AES-128',
    '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=17',
    '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1234567890123456789012345678901234',
    '#EXT-X-KEY:URI="k"',
    '#EXT-X-KEY:METHOD=AES-128,URI=""',
  ])('that cannot be read harm only what stands under them: %s', (line) => {
    expect(refusal(media(line, '#EXTINF:6,', '1.ts')).code).toBe('playlist.invalid');
    const clear = media(line, '#EXT-X-KEY:METHOD=NONE', '#EXTINF:6,', '1.ts');
    expect(read(clear).segments[0]?.key).toBeUndefined();
  });
});

describe('marks', () => {
  it('belong to the segment they stand before, with what they say', () => {
    const { segments } = read(playlistFixture('marks'));
    const startsAt = Date.parse('2026-03-01T20:00:06Z');
    expect(segments.map(({ marks = [] }) => marks.map(({ tag }) => tag))).toEqual([
      [],
      ['EXT-X-DATERANGE', 'EXT-OATCLS-SCTE35', 'EXT-X-CUE-OUT'],
      ['EXT-X-CUE-OUT-CONT'],
      ['EXT-X-CUE-OUT-CONT'],
      ['EXT-X-SCTE35', 'EXT-X-SPLICEPOINT-SCTE35', 'EXT-X-CUE-IN', 'EXT-X-DATERANGE'],
    ]);
    expect(segments[1]?.marks).toMatchObject([
      { kind: 'daterange', id: 'ad-1', startsAt, durationMs: 30_500 },
      { kind: 'scte35', value: '/DAlAAAAAAAAAP/wFAUAAA==' },
      { kind: 'cue', value: '30.5', durationMs: 30_500 },
    ]);
    expect(segments[2]?.marks).toMatchObject([{ durationMs: 30_500 }]);
    expect(segments[3]?.marks).toMatchObject([{ durationMs: 30_500 }]);
    expect(segments[4]?.marks?.[3]).toMatchObject({ id: 'ad-1', durationMs: 18_000 });
  });

  it('after the last segment wait for theirs, unless the stream has ended', () => {
    const text = playlistFixture('marks');
    const tags = (playlist: MediaPlaylist) =>
      playlist.segments
        .at(-1)
        ?.marks?.map(({ tag }) => tag)
        .slice(-2);
    expect(tags(read(text))).toEqual(['EXT-X-CUE-IN', 'EXT-X-DATERANGE']);
    expect(tags(read(`${text}#EXT-X-ENDLIST`))).toEqual(['EXT-X-DATERANGE', 'EXT-X-CUE']);
    const next = read(`${text}#EXTINF:6,\n105.ts\n`).segments.at(-1);
    expect(next?.marks?.map(({ tag }) => tag)).toEqual(['EXT-X-DATERANGE', 'EXT-X-CUE']);
  });

  it('are kept up to their limits, the newest first', () => {
    const many = Array.from({ length: MARKS_MAX + 1 }, (_, index) => `#EXT-X-CUE-OUT:${index}`);
    const { segments } = read(
      media('#EXT-X-CUE-IN', '#EXTINF:6,', '0.ts', ...many, '#EXTINF:6,', '1.ts'),
    );
    expect(segments[0]?.marks).toBeUndefined();
    expect(segments[1]?.marks).toHaveLength(MARKS_MAX);
    expect(segments[1]?.marks?.at(-1)?.value).toBe(String(MARKS_MAX));
    const long = `#EXT-X-SCTE35:CUE="${'A'.repeat(MARK_VALUE_CHARACTERS_MAX)}"`;
    const [one] = read(media(long, '#EXTINF:6,', '0.ts')).segments;
    expect(one?.marks?.[0]?.value).toHaveLength(MARK_VALUE_CHARACTERS_MAX);
  });

  it('of a head that is cut off are gone, date ranges excepted, which may stand anywhere', () => {
    const lines = ['#EXT-X-DATERANGE:ID="new",START-DATE="2026-03-01T20:00:00Z"', '#EXT-X-CUE-IN'];
    for (let msn = 0; msn < 900; msn++) {
      lines.push('#EXT-X-CUE-OUT-CONT:1/2', '#EXTINF:6,', `segment-${msn}.ts`);
    }
    const cut = { fromMsn: 800, anchor: { msn: 850, identity: '/live/segment-850.ts' } };
    const { segments } = read(media(...lines), { cut });
    expect(segments[0]?.marks?.map(({ tag }) => tag)).toEqual([
      'EXT-X-DATERANGE',
      'EXT-X-CUE-OUT-CONT',
    ]);
    expect(segments.slice(1).every(({ marks }) => marks?.length === 1)).toBe(true);
  });
});

describe('low latency', () => {
  it('offers what it offers, and its parts are no segments', () => {
    const { segments, serverControl } = read(playlistFixture('lowLatency'));
    expect(serverControl).toEqual({ canBlockReload: true, canSkipUntilMs: 24_000 });
    expect(segments.map(({ msn, url }) => [msn, url.pathname])).toEqual(
      [300, 301, 302, 303, 304].map((msn) => [msn, `/live/${msn}.m4s`]),
    );
  });

  it('a delta update is the whole playlist, with what came before in the place of what is skipped', () => {
    const previous = read(playlistFixture('lowLatency'));
    const playlist = read(playlistFixture('deltaUpdate'), { previous });
    expect(playlist.segments.slice(0, 4)).toEqual(previous.segments.slice(1));
    expect(playlist).toMatchObject({ mediaSequence: 301, windowMs: 20_000 });
    expect(playlist.segments.at(-1)).toMatchObject({
      msn: 305,
      discontinuity: 1,
      init: previous.segments.at(-1)?.init,
    });
    const next = playlistFixture('deltaUpdate')
      .replace('SEQUENCE:301', 'SEQUENCE:302')
      .replace('305.m4s', '306.m4s');
    expect(read(next, { previous: playlist }).segments.map(({ msn }) => msn)).toEqual([
      302, 303, 304, 305, 306,
    ]);
  });

  it('a delta update keeps the dates and keys of what is skipped', () => {
    const key = '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1';
    const date = '#EXT-X-PROGRAM-DATE-TIME:2026-03-01T20:00:00Z';
    const full = media(key, date, '#EXTINF:6,', '0.ts', '#EXTINF:6,', '1.ts');
    const delta = media('#EXT-X-SKIP:SKIPPED-SEGMENTS=2', '#EXTINF:6,', '2.ts');
    const whole = read(full.replace(/$/, '#EXTINF:6,\n2.ts\n'));
    expect(read(delta, { previous: read(full) })).toEqual(whole);
  });

  it('a delta update lets go of what is settled', () => {
    const previous = read(playlistFixture('lowLatency'));
    const cut = { fromMsn: 303, anchor: { msn: 304, identity: '/live/304.m4s' } };
    const playlist = read(playlistFixture('deltaUpdate'), { previous, cut });
    expect(playlist.segments.map(({ msn }) => msn)).toEqual([303, 304, 305]);
    expect(playlist.windowMs).toBe(20_000);
    const next = playlistFixture('deltaUpdate').replace('SEQUENCE:301', 'SEQUENCE:302');
    expect(read(next, { previous: playlist }).windowMs).toBe(20_000);
  });

  it('a delta update that does not fit is refused so that it can be asked for in full', () => {
    const previous = read(playlistFixture('lowLatency'));
    const delta = playlistFixture('deltaUpdate');
    const unfit: [string, MediaPlaylist | undefined][] = [
      [delta, undefined],
      [delta.replace('SEQUENCE:301', 'SEQUENCE:302'), previous],
      [delta.replace('SEQUENCE:301', 'SEQUENCE:299'), previous],
      [delta.replace('SEGMENTS=4', 'SEGMENTS=x'), previous],
      [delta.replace('SEGMENTS=4', 'SEGMENTS=0'), previous],
      [delta.replace(/(#EXT-X-SKIP[^\n]*\n)(.*)/s, '$2$1'), previous],
    ];
    for (const [text, before] of unfit) {
      expect(refusal(text, { previous: before })).toMatchObject({
        code: 'playlist.invalid',
        retryable: true,
        details: { delta: true },
      });
    }
  });
});

describe('variables', () => {
  it('stand for what they were defined as, by name, by the master or by the address', () => {
    const { segments } = read(playlistFixture('defined'), { variables: { host: 'media.test' } });
    expect(segments[0]?.url.href).toBe('https://media.test/deep/down/1.m4s?t=s3cret');
    expect(segments[0]?.init?.url.href).toBe('https://media.test/deep/down/init.mp4');
  });

  it('that are not defined make the playlist unusable', () => {
    expect(refusal(playlistFixture('defined')).code).toBe('playlist.invalid');
    expect(refusal(media('#EXTINF:6,', '{$host}/1.ts')).code).toBe('playlist.invalid');
    const variables = { constructor: 'x' } as const;
    const imported = media('#EXT-X-DEFINE:IMPORT="toString"', '#EXTINF:6,', '1.ts');
    expect(refusal(imported, { variables }).code).toBe('playlist.invalid');
  });

  it('of the master are handed on', () => {
    expect(readMaster(playlistFixture('master')).variables).toEqual({ host: 'media.test' });
  });
});

describe('a master playlist', () => {
  const { variants } = readMaster(playlistFixture('master'));

  it('lists the renditions of each variant that can be fetched on their own', () => {
    expect(variants[0]?.renditions).toEqual([
      {
        kind: 'audio',
        url: new URL('en.m3u8', base),
        name: 'English',
        language: 'en',
        isDefault: true,
        isForced: false,
        channels: '2',
      },
      expect.objectContaining({ name: 'English, described', isDefault: false }),
      expect.objectContaining({ kind: 'subtitles', language: 'de', isForced: true }),
    ]);
    expect(variants[1]).toMatchObject({ hasOwnAudio: true, renditions: [{ language: 'fi' }] });
  });

  it('folds redundant streams and pathways into mirrors, the steered pathway first', () => {
    const addresses = variants.map(({ url, mirrors }) => [url.href, ...mirrors.map(String)]);
    expect(addresses).toEqual([
      ['https://media.test/high.m3u8', 'https://south.test/high.m3u8'],
      ['http://origin.test/live/low.m3u8', 'http://origin.test/live/backup/low.m3u8'],
      ['http://origin.test/live/radio.m3u8'],
    ]);
  });

  it('keeps variants apart that differ in anything, or of which too little is known', () => {
    const { variants: apart } = readMaster(
      [
        '#EXTM3U',
        '#EXT-X-STREAM-INF:BANDWIDTH=5,CODECS="avc1"',
        'a',
        '#EXT-X-STREAM-INF:BANDWIDTH=5,CODECS="hvc1"',
        'b',
        '#EXT-X-STREAM-INF:BANDWIDTH=5,CODECS="hvc1",NAME="other camera"',
        'c',
        '#EXT-X-STREAM-INF:PROGRAM-ID=1',
        'd',
        '#EXT-X-STREAM-INF:PROGRAM-ID=1',
        'e',
      ].join('\n'),
    );
    expect(apart.map(({ mirrors }) => mirrors.length)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('a sloppy playlist', () => {
  it('loses the lines that cannot be read, and nothing else', () => {
    const { segments, ...playlist } = read(playlistFixture('sloppy'));
    expect(playlist).toMatchObject({ mediaSequence: 5, targetDurationMs: 3_600_000 });
    expect(
      segments.map(({ msn, url, gap, durationMs }) => [msn, url.pathname, gap, durationMs]),
    ).toEqual([
      [5, '/live/a.ts', false, 2_000],
      [6, '/live/b.ts', false, 3_600_000],
      [7, '/live/c.ts', true, 3_600_000],
      [8, '/live/index.m3u8', true, 3_600_000],
    ]);
    expect(segments[0]).not.toHaveProperty('wallClock');
  });

  it('may have comments before its first line, and no page passes for one', () => {
    expect(read('\ufeff\n# hello\n#EXTM3U\n#EXTINF:1,\na.ts').segments).toHaveLength(1);
    expect(refusal('<html>\n#EXTM3U\n#EXTINF:1,\na.ts').message).toContain('does not begin');
    expect(refusal('# nothing').message).toContain('empty');
  });

  it('is read in time that grows with its length alone', () => {
    const hostile = [
      `#EXT-X-KEY:${'A'.repeat(300_000)}`,
      `#EXT-X-KEY:${'A="'.repeat(100_000)}`,
      `#EXT-X-MAP:${','.repeat(300_000)}`,
      `#EXTINF:${'1'.repeat(300_000)}`,
      `#EXT-X-CUE-OUT:${'1.'.repeat(100_000)}`,
      `#EXT${'#EXT'.repeat(100_000)}`,
      `${'{$'.repeat(100_000)}`,
      `#EXT-X-PROGRAM-DATE-TIME:${'2026-01-01T'.repeat(50_000)}`,
    ];
    for (const line of hostile) {
      const body = ['#EXTM3U', '#EXTINF:1,', 'a.ts', line, '#EXTINF:1,', 'b.ts', ''].join('\n');
      try {
        parsePlaylist(body, base);
      } catch (error) {
        expect(isKennelError(error)).toBe(true);
      }
    }
  }, 5_000);
});
