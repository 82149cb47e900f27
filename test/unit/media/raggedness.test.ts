import { expect, test } from 'vitest';
import type { MediaInfo } from '../../../src/media/mediabunny/protocol.ts';
import { comesOutOfStep } from '../../../src/media/mux/ffmpegPlan.ts';
import { raggednessOf } from '../../../src/media/timing/raggedness.ts';

/** Picture and sound, each from and to, seconds. */
function info(picture: readonly [number, number], sound: readonly [number, number]): MediaInfo {
  const track = (
    kind: 'video' | 'audio',
    id: number,
    [startSeconds, endSeconds]: readonly [number, number],
  ) => ({
    ...{ kind, id, codec: null, codecString: null, startSeconds, endSeconds },
  });
  return { format: 'MPEG-TS', tracks: [track('video', 1, picture), track('audio', 2, sound)] };
}
const even = info([0, 4], [0.02, 4.03]);
const alone = (media: MediaInfo) => ({ first: media, last: media });

test('stretches that begin and end as segments do are even', () => {
  const { skewSeconds, overhangMs } = raggednessOf([alone(even), alone(even)]);
  expect(skewSeconds).toBeLessThan(0.1);
  expect(overhangMs).toBe(0);
});

test('a program that begins with a second of sound before its first picture skews the joint', () => {
  const late = info([11, 15], [10, 15]);
  const { skewSeconds, overhangMs } = raggednessOf([alone(even), alone(late)]);
  expect(skewSeconds).toBeCloseTo(1.03);
  expect(overhangMs).toBeCloseTo(1_000);
  const run = {
    container: 'ts',
    track: 'main',
    timelines: [],
    companions: [],
    sections: [],
    info: { track: 'main', kind: 'main' },
  } as const;
  expect(comesOutOfStep({ run, ragged: { skewSeconds, overhangMs }, needsExactTimes: false })).toBe(
    true,
  );
});

test('a program that was cut off while its sound was behind skews it too, and makes nothing longer', () => {
  const cut = info([0, 4], [0, 3.2]);
  const { skewSeconds, overhangMs } = raggednessOf([alone(cut), alone(even)]);
  expect(skewSeconds).toBeCloseTo(0.82);
  expect(overhangMs).toBe(0);
});

test('sound alone is in step with itself, and lasts as long as it does', () => {
  const late = info([11, 15], [10, 14.5]);
  const found = raggednessOf([alone(even), alone(late)], ({ kind }) => kind === 'audio');
  expect(found.skewSeconds).toBe(0);
  expect(found.overhangMs).toBeCloseTo(500);
});
