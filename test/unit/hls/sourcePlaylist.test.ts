import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { LinkSource } from '../../../src/hls/source/linkSource.ts';
import { type PlaylistPoll, PlaylistSource } from '../../../src/hls/source/playlistSource.ts';
import { type Answer, playlistText } from './streamRecorderOrigin.ts';
import { originFor, sourceParts } from './streamRecorderSetup.ts';

/** One source of one track, asked by hand. */
async function setup(answer: (requested: string) => Answer | undefined, query = '') {
  const origin = await originFor(answer);
  const parts = { ...sourceParts(), clock: systemClock };
  const link = new LinkSource({
    ...parts,
    url: new URL(`${origin.url}/live.m3u8${query}`),
    quality: ['best'],
    recorded: () => undefined,
  });
  const source = new PlaylistSource({
    ...parts,
    link,
    address: ({ variant }) => variant?.url ?? link.url,
  });
  const poll = async (options: Partial<PlaylistPoll> = {}) =>
    await source.poll({
      signal: parts.life,
      timeoutMs: 5_000,
      cut: () => undefined,
      ...options,
    });
  return { origin, link, source, poll };
}

const control = (text: string, attributes: string) =>
  text.replace('#EXTM3U\n', `#EXTM3U\n#EXT-X-SERVER-CONTROL:${attributes}\n`);

describe('a link that is a media playlist', () => {
  it('is asked once for its first playlist, and answers unchanged while it is', async () => {
    const { origin, poll } = await setup(() => playlistText({ first: 0, count: 3 }));
    expect(await poll()).toMatchObject({ kind: 'media', mediaSequence: 0 });
    expect(await poll()).toBe('unchanged');
    expect(origin.asked).toHaveLength(2);
  });

  it('may become a master playlist, which is then followed', async () => {
    const now = { text: playlistText({ first: 0, count: 1 }) };
    const { poll } = await setup((requested) =>
      requested === '/live.m3u8' ? now.text : playlistText({ first: 7, count: 1 }),
    );
    await poll();
    now.text = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n';
    await expect(poll()).rejects.toMatchObject({ code: 'playlist.invalid' });
    expect(await poll()).toMatchObject({ mediaSequence: 7 });
  });
});

describe('what a low-latency origin understands', () => {
  it('is asked behind the query that is there, which stays as it is', async () => {
    const text = control(playlistText({ first: 0, count: 3 }), 'CAN-BLOCK-RELOAD=YES');
    const { origin, poll } = await setup(() => text, '?sig=a%20b+c');
    await poll({ blockUntilMsn: 3 });
    await poll({ blockUntilMsn: 3 });
    expect(origin.asked).toEqual(['/live.m3u8?sig=a%20b+c', '/live.m3u8?sig=a%20b+c&_HLS_msn=3']);
  });

  it('is left out after it failed, and for good when it fails again', async () => {
    const { origin, poll } = await setup((requested) =>
      requested.includes('_HLS_')
        ? { status: 400 }
        : control(playlistText({ first: 0, count: 3 }), 'CAN-BLOCK-RELOAD=YES'),
    );
    for (let polls = 0; polls < 6; polls++) await poll({ blockUntilMsn: 3 }).catch(() => undefined);
    expect(origin.asked.map((asked) => asked.includes('_HLS_msn'))).toEqual([
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  const LONG = 3_000;
  const full = (first: number) =>
    control(playlistText({ first, count: LONG }), 'CAN-SKIP-UNTIL=60').replaceAll(
      '0.3,\n',
      '0.3,a title\n',
    );
  const delta = (first: number, from: number) =>
    full(first).replace(
      new RegExp(`#EXTINF:0.3,a title\ns${first}[.]ts[^]*?(?=#EXTINF:0.3,a title\ns${from}[.]ts)`),
      `#EXT-X-SKIP:SKIPPED-SEGMENTS=${from - first}\n`,
    );

  it('includes delta updates of long playlists, which are put together with what was there', async () => {
    const { origin, poll } = await setup((requested) =>
      requested.includes('_HLS_skip=YES') ? delta(2, LONG - 5) : full(0),
    );
    await poll();
    const playlist = await poll();
    expect(playlist).toMatchObject({ mediaSequence: 2 });
    expect(playlist === 'unchanged' ? [] : playlist.segments.map(({ msn }) => msn)).toEqual(
      Array.from({ length: LONG }, (_, index) => index + 2),
    );
    expect(await poll()).toBe('unchanged');
    const skipping = '/live.m3u8?_HLS_skip=YES';
    expect(origin.asked).toEqual(['/live.m3u8', skipping, skipping]);
  });

  it('is asked for in full when a delta update does not fit to what was there', async () => {
    const { origin, poll } = await setup((requested) => {
      if (requested.includes('_HLS_skip=YES')) return delta(9_000, 9_000 + LONG - 5);
      return full(origin.asked.length > 1 ? 9_000 : 0);
    });
    await poll();
    expect(await poll()).toMatchObject({ mediaSequence: 9_000 });
    expect(origin.asked).toEqual(['/live.m3u8', '/live.m3u8?_HLS_skip=YES', '/live.m3u8']);
  });

  it('is not asked of a short playlist', async () => {
    const text = control(playlistText({ first: 0, count: 3 }), 'CAN-SKIP-UNTIL=60');
    const { origin, poll } = await setup(() => text);
    await poll();
    await poll();
    expect(origin.asked).toEqual(['/live.m3u8', '/live.m3u8']);
  });
});

describe('a link that several tracks ask', () => {
  it('is asked once, and whoever leaves does not take the answer from the others', async () => {
    const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n';
    const { origin, link } = await setup(() => master);
    const leaving = new AbortController();
    const left = link.resolve({ signal: leaving.signal });
    const staying = link.resolve({ signal: new AbortController().signal });
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    const resolution = await staying;
    expect(resolution).toMatchObject({ number: 1, variant: { bandwidth: 1 } });
    expect(await link.resolve({ signal: new AbortController().signal })).toBe(resolution);
    expect(origin.asked).toEqual(['/live.m3u8']);
  });
});
