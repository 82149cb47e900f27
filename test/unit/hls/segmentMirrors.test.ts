import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  failureOf,
  hasty,
  orderOf,
  segmentOf,
  serving,
  setup,
  silent,
} from './segmentTakerSetup.ts';
import { mp4, tsSegment } from './streamRecorderOrigin.ts';
import { answer, rawServer } from './transportServer.ts';

describe('other addresses of a segment', () => {
  test.each([
    ['404', answer('', '404 No')],
    ['a page', answer('<html>')],
    ['a torn body', answer(tsSegment(1)).subarray(0, -9)],
  ])('are tried in the same order when the first answers with %s', async (_, bad) => {
    const { take, stored, media, isSound } = await setup();
    const first = await rawServer((socket) => socket.end(bad));
    const second = await rawServer(answer('', '503 No'));
    const mirrors = [
      { source: 1, segment: segmentOf(second.url()) },
      { source: 2, segment: segmentOf(await serving(tsSegment(2)), { durationMs: 2_100 }) },
    ];
    await take(orderOf(segmentOf(first.url('/s.ts')), { mirrors }));
    expect(await stored()).toMatchObject([{ msn: 7, source: 2, durationMs: 2_000 }]);
    expect(await media()).toEqual(['main/e0000/0000000007.ts']);
    await isSound();
  });

  test('are tried beside the first one when that is slow; the first whole segment wins alone', async () => {
    // Half of the segment's 2 s are over at once.
    const { take, stored, media, isSound } = await setup({ clock: hasty(1_000) });
    // It has written half of the segment under the final name when it is beaten.
    const half = answer(Buffer.concat(Array.from({ length: 100 }, (_, at) => tsSegment(at))));
    const slow = await rawServer(half.subarray(0, 300_000));
    const mirror = await rawServer((socket) => {
      setTimeout(() => socket.write(answer(tsSegment(2))), 100);
    });
    const mirrors = [{ source: 1, segment: segmentOf(mirror.url('/s.ts')) }];
    await take(orderOf(segmentOf(slow.url('/s.ts')), { mirrors }));
    expect(await stored()).toMatchObject([{ source: 1, bytes: 3760 }]);
    expect(await media()).toEqual(['main/e0000/0000000007.ts']);
    await isSound();
  });

  test('leave nothing when the first one is whole before them', async () => {
    const { take, stored, media, isSound } = await setup({ clock: hasty(1_000) });
    const mirror = await rawServer(answer(Buffer.alloc(900_000, 0x47)).subarray(0, 500_000));
    const first = await rawServer((socket) => {
      const wait = () => {
        if (mirror.requests.length === 0) setTimeout(wait, 5);
        else setTimeout(() => socket.write(answer(tsSegment(1))), 50);
      };
      wait();
    });
    const mirrors = [{ source: 1, segment: segmentOf(mirror.url('/s.ts')) }];
    await take(orderOf(segmentOf(first.url('/s.ts')), { mirrors }));
    const [segment] = await stored();
    expect(segment).not.toHaveProperty('source');
    expect(await media()).toEqual(['main/e0000/0000000007.ts']);
    await isSound();
  });

  test('are not waited for beyond the time of the order, and nothing is left', async () => {
    const { take, media } = await setup({ clock: hasty(60_000) });
    const mirrors = [{ source: 1, segment: segmentOf((await silent()).url()) }];
    const order = orderOf(segmentOf((await silent()).url()), { mirrors });
    expect(await failureOf(take(order))).toMatchObject({ cause: 'timeout' });
    expect(await media()).toEqual([]);
  });

  test('are not tried when the disk fails', async () => {
    const { take, file } = await setup();
    const mirror = await rawServer(answer(tsSegment(2)));
    await mkdir(file('media/main/e0000/0000000007.ts'), { recursive: true });
    const mirrors = [{ source: 1, segment: segmentOf(mirror.url()) }];
    const order = orderOf(segmentOf(await serving(tsSegment(1))), { mirrors });
    expect(await failureOf(take(order))).toMatchObject({ cause: 'disk' });
    expect(mirror.requests).toEqual([]);
  });

  test('whose file cannot be named count as a failing disk', async () => {
    const { take, file, media } = await setup();
    const first = await rawServer(answer('', '404 No'));
    await mkdir(file('media/main/e0000/0000000007.ts/in'), { recursive: true });
    const mirrors = [{ source: 1, segment: segmentOf(await serving(tsSegment(2))) }];
    const order = orderOf(segmentOf(first.url('/s.ts')), { mirrors });
    expect(await failureOf(take(order))).toMatchObject({ cause: 'disk' });
    expect(await media()).toEqual(['main/e0000/0000000007.ts', 'main/e0000/0000000007.ts/in']);
  });

  test('bring their own initialisation section', async () => {
    const { take, ledger, isSound } = await setup();
    const origin = (name: string) =>
      rawServer((socket, request) => {
        if (request.startsWith('GET /init')) return socket.write(answer(mp4(['moov', name])));
        if (name === 'first') return socket.write(answer('', '404 No'));
        return socket.write(answer(mp4(['moof', name], ['mdat', name])));
      });
    const [first, second] = [await origin('first'), await origin('second')];
    const at = (server: typeof first) =>
      segmentOf(server.url('/s.m4s'), { init: { url: server.url('/init.mp4') } });
    await take(orderOf(at(first), { mirrors: [{ source: 1, segment: at(second) }] }));
    const { inits, segments } = {
      inits: (await ledger()).inits,
      segments: (await ledger()).segments(),
    };
    const [segment] = segments;
    expect(inits.map(({ init }) => init)).toEqual([0, 1]);
    expect(segment).toMatchObject({ init: 1, source: 1, container: 'fmp4' });
    await isSound();
  });
});
