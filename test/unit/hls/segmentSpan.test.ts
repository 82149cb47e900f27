import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { PlausibleSpan } from '../../../src/hls/segment/plausibleSpan.ts';
import { TsWalk } from '../../../src/recording/files/tsWalk.ts';
import { loadSet } from '../../support/origin/mediaSet.ts';
import { failureOf, hasty, orderOf, segmentOf, setup } from './segmentTakerSetup.ts';
import { answer, rawServer } from './transportServer.ts';

const PACKET_BYTES = 188;

async function realSegment() {
  const { segments, bodies } = await loadSet('ts');
  const body = Buffer.from(bodies[3] ?? []);
  const half = body.subarray(0, Math.floor(body.length / 2 / PACKET_BYTES) * PACKET_BYTES);
  return { body, half, durationMs: segments[3]?.durationMs ?? 1_000 };
}

function spanOf(body: Buffer, pieceBytes = body.length): number | undefined {
  const walk = new TsWalk();
  for (let at = 0; at < body.length; at += pieceBytes)
    walk.feed(body.subarray(at, at + pieceBytes));
  return walk.spanMs;
}

/** One PES packet with this timestamp, in a packet of its own. */
function dated(ticks: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  packet.set([0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5]);
  const high = Math.floor(ticks / 2 ** 30) & 7;
  packet[13] = 0x20 | (high << 1) | 1;
  packet.writeUInt16BE(((Math.floor(ticks / 2 ** 15) & 0x7fff) << 1) | 1, 14);
  packet.writeUInt16BE(((ticks & 0x7fff) << 1) | 1, 16);
  return packet;
}

describe('the time that a transport stream spans', () => {
  test('is what its playlist says, and half of it when half is there', async () => {
    const { body, half, durationMs } = await realSegment();
    expect(spanOf(body)).toBeGreaterThan(0.95 * durationMs);
    expect(spanOf(body)).toBeLessThan(1.1 * durationMs);
    expect(spanOf(half)).toBeLessThan(0.75 * durationMs);
  });

  test('hardly depends on the pieces it comes in', async () => {
    const { body, durationMs } = await realSegment();
    expect(spanOf(body, 1_000)).toBeGreaterThan(0.85 * durationMs);
  });

  test('is measured across the wrap of the timestamps, and whatever the order of the pictures', () => {
    const begin = 2 ** 33 - 90_000;
    const shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8];
    const body = Buffer.concat(shown.map((at) => dated((begin + at * 18_000) % 2 ** 33)));
    expect(spanOf(body)).toBeCloseTo(2_000);
  });

  test('is not known of what has one timestamp, or none', () => {
    expect(spanOf(dated(5))).toBeUndefined();
    expect(spanOf(Buffer.alloc(PACKET_BYTES * 3, 0x47))).toBeUndefined();
  });
});

describe('a segment that is shorter than its playlist says', () => {
  test('is asked for again, and believed when it stays so', () => {
    const spans = new PlausibleSpan();
    const check = () => spans.check('main/0/7', 500, 1_000);
    expect(check).toThrow(expect.objectContaining({ code: 'segment.invalid' }));
    expect(check).toThrow(/lasts 500 of 1000 ms/);
    check();
  });

  test('is not worth a word once the playlist was found wrong three times', () => {
    const spans = new PlausibleSpan();
    for (const name of ['a', 'b', 'c']) {
      for (let tries = 0; tries < 2; tries++)
        expect(() => spans.check(name, 500, 1_000)).toThrow(/lasts/);
      spans.check(name, 500, 1_000);
    }
    spans.check('d', 500, 1_000);
  });

  test('by no more than rounding makes is fine, and so is one that nobody can measure', () => {
    const spans = new PlausibleSpan();
    spans.check('a', 3_340, 4_000);
    spans.check('b', undefined, 4_000);
    spans.check('c', 40, 400);
  });

  test('leaves no file when it is refused, and the whole one is stored', async () => {
    const { body, half, durationMs } = await realSegment();
    const { take, stored, media, isSound } = await setup();
    let answers = 0;
    const server = await rawServer((socket) => {
      socket.write(answer(answers++ === 0 ? half : body));
    });
    const order = orderOf(segmentOf(server.url('/s.ts'), { durationMs }));
    expect(await failureOf(take(order))).toMatchObject({ cause: 'invalid' });
    expect(await media()).toEqual([]);
    await take({ ...order, tries: 1 });
    expect(await stored()).toMatchObject([{ bytes: body.length }]);
    await isSound();
  });
});

test('what may be the last try of a segment is taken as it comes', async () => {
  const { half, durationMs } = await realSegment();
  const { take, stored } = await setup();
  const server = await rawServer(answer(half));
  await take(orderOf(segmentOf(server.url('/s.ts'), { durationMs }), { isLast: true }));
  expect(await stored()).toMatchObject([{ bytes: half.length }]);
});

describe('a request that brings nothing', () => {
  test('is sent once more beside the first, and what comes there is stored', async () => {
    const { body, durationMs } = await realSegment();
    const { take, stored, isSound } = await setup({ clock: hasty(2_000) });
    let asked = 0;
    const server = await rawServer((socket) => {
      if (asked++ > 0) socket.write(answer(body));
    });
    await take(orderOf(segmentOf(server.url('/s.ts'), { durationMs })));
    expect(asked).toBe(2);
    expect(await stored()).toHaveLength(1);
    await isSound();
  });

  test('is not sent again when it failed', async () => {
    const { body, durationMs } = await realSegment();
    const { take } = await setup();
    const refusing = await rawServer(answer(body, '404 No'));
    const refused = take(orderOf(segmentOf(refusing.url('/s.ts'), { durationMs })));
    expect(await failureOf(refused)).toMatchObject({ cause: 'http.404' });
    expect(refusing.requests).toHaveLength(1);
  });

  test('is not sent again when anything has come', async () => {
    const { body, durationMs } = await realSegment();
    const began = Promise.withResolvers<void>();
    // The time for the second request comes as soon as the first one has brought something, and never again.
    let looks = 0;
    const clock = {
      ...systemClock,
      setTimeout: (callback: () => void, delayMs: number) => {
        if (delayMs !== 2_000) return setTimeout(callback, delayMs);
        return looks++ === 0 ? void began.promise.then(callback) : undefined;
      },
    };
    const { take } = await setup({ clock });
    let asked = 0;
    const slow = await rawServer((socket) => {
      asked++;
      const whole = answer(body);
      socket.write(whole.subarray(0, 5_000));
      setTimeout(began.resolve, 50);
      setTimeout(() => socket.write(whole.subarray(5_000)), 100);
    });
    await take(orderOf(segmentOf(slow.url('/s.ts'), { durationMs })));
    expect(asked).toBe(1);
  });
});
