import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { failureOf, orderOf, segmentOf, serving, setup } from './segmentTakerSetup.ts';
import { mp4, tsSegment } from './streamRecorderOrigin.ts';
import { answer, rawServer } from './transportServer.ts';

describe('a segment', () => {
  test.each(['blake3', 'sha256'] as const)(
    'is stored and named with its checksum (%s)',
    async (checksums) => {
      const { take, stored, isSound, file } = await setup({ checksums });
      const segment = segmentOf(await serving(tsSegment(1)), { wallClock: 5, discontinuity: 3 });
      const { checksum, source } = await take(orderOf(segment));
      expect(source).toBe(0);
      expect(await stored()).toMatchObject([
        {
          msn: 7,
          checksum,
          bytes: 3760,
          container: 'ts',
          wallClock: 5,
          discontinuity: 3,
          durationMs: 2_000,
        },
      ]);
      expect(await readFile(file('media/main/e0000/0000000007.ts'))).toEqual(tsSegment(1));
      await isSound();
    },
  );

  test('may be subtitles', async () => {
    const { take, stored, isSound } = await setup();
    const url = (await rawServer(answer('WEBVTT\n'))).url('/s.vtt');
    await take(orderOf(segmentOf(url), { key: { track: 'subtitles-en', epoch: 0, msn: 7 } }));
    expect(await stored()).toMatchObject([
      { file: 'media/subtitles-en/e0000/0000000007.vtt', container: 'webvtt' },
    ]);
    await isSound();
  });

  test('that is only probed leaves nothing behind, and no other address is asked for it', async () => {
    const { take, media, stored } = await setup();
    const mirror = await rawServer(answer(tsSegment(1)));
    const mirrors = [{ source: 1, segment: segmentOf(mirror.url()) }];
    const order = { purpose: 'probe', mirrors } as const;
    expect(await take(orderOf(segmentOf(await serving(tsSegment(1))), order))).toMatchObject({
      checksum: expect.stringMatching(/^\w{64}$/),
      source: 0,
    });
    const missing = (await rawServer(answer('', '404 No'))).url();
    expect(await failureOf(take(orderOf(segmentOf(missing), order)))).toMatchObject({
      cause: 'http.404',
    });
    expect([await media(), await stored(), mirror.requests]).toEqual([[], [], []]);
  });

  test('is stored again although somebody has removed its directory meanwhile', async () => {
    const { take, file, stored } = await setup();
    const url = await serving(tsSegment(1));
    await take(orderOf(segmentOf(url)));
    await rm(file('media/main/e0000'), { recursive: true });
    const again = orderOf(segmentOf(url, { msn: 8 }));
    expect(await failureOf(take(again))).toMatchObject({ cause: 'disk' });
    await take(again);
    expect((await stored()).map(({ msn }) => msn)).toEqual([7, 8]);
    expect((await stat(file('media/main/e0000/0000000008.ts'))).size).toBe(3760);
  });

  test('is lost to the disk when its directory cannot be made', async () => {
    const { take, file, media } = await setup();
    await writeFile(file('media'), 'in the way');
    const order = orderOf(segmentOf(await serving(tsSegment(1))));
    expect(await failureOf(take(order))).toEqual({
      cause: 'disk',
      detail: expect.stringContaining('could not make the directory'),
    });
    await rm(file('media'));
    await take(order);
    expect(await media()).toEqual(['main/e0000/0000000007.ts']);
  });
});

describe('initialisation sections', () => {
  const fmp4 = () =>
    rawServer((socket, request) => {
      const name = /GET \/(\w+)/.exec(request)?.[1] ?? '';
      const body = name.startsWith('init')
        ? mp4(['moov', 'same content'])
        : mp4(['moof', name], ['mdat', name]);
      setImmediate(() => socket.write(answer(body)));
    });

  test('are fetched once for all that need them, and each content is stored once', async () => {
    const { take, ledger, media, restart, isSound } = await setup();
    const server = await fmp4();
    const order = (msn: number, map: string, discontinuity = 0) =>
      orderOf(
        segmentOf(server.url(`/s${msn}`), { msn, discontinuity, init: { url: server.url(map) } }),
      );
    await Promise.all([1, 2, 3].map(async (msn) => await take(order(msn, '/init1'))));
    await Promise.all([take(order(4, '/init1', 1)), take(order(5, '/init2'))]);
    restart();
    await take(order(6, '/init1'));
    expect((await ledger()).segments().map(({ init }) => init)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(server.requests.filter((request) => request.includes('/init'))).toHaveLength(4);
    expect((await media()).filter((name) => name.includes('init'))).toEqual(['main/init-0.mp4']);
    await isSound();
  });

  test('of several tracks have numbers of their own', async () => {
    const { take, ledger, isSound } = await setup();
    const server = await fmp4();
    const order = (track: string) => {
      const segment = segmentOf(server.url('/s7'), { init: { url: server.url('/init') } });
      return orderOf(segment, { key: { track, epoch: 0, msn: 7 } });
    };
    await Promise.all(['main', 'audio', 'audio.2'].map(async (track) => await take(order(track))));
    const { inits } = await ledger();
    expect(inits.map(({ init }) => init)).toEqual([0, 1, 2]);
    for (const { track, init } of (await ledger()).segments())
      expect(inits[init ?? -1]?.track).toBe(track);
    await isSound();
  });

  test('that cannot be had fail their segments, and are asked for again by the next try', async () => {
    const { take, stored, media } = await setup();
    const server = await rawServer((socket, request, index) => {
      const good = request.includes('/init')
        ? mp4(['moov', 'x'])
        : mp4(['moof', 'x'], ['mdat', 'x']);
      socket.write(index === 0 ? answer('', '503 No') : answer(good));
    });
    const order = orderOf(segmentOf(server.url('/s'), { init: { url: server.url('/init') } }));
    expect(await failureOf(take(order))).toMatchObject({ cause: 'http.503' });
    expect(await media()).toEqual([]);
    await take(order);
    expect(await stored()).toMatchObject([{ init: 0 }]);
  });
});
