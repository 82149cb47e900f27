import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { WaitingSegments } from '../../../src/hls/planner/waitingSegments.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

const setup = () => {
  const waiting = new WaitingSegments();
  const add = (msn: number) =>
    waiting.add({
      key: { track: 'main', epoch: 0, msn },
      first: undefined,
      durationMs: 1_000,
      expiresAt: 0,
      isNamed: false,
    });
  const settle = (msn: number) => {
    const one = waiting.get({ epoch: 0, msn });
    if (one !== undefined) one.state = 'settled';
    waiting.remove({ epoch: 0, msn });
  };
  return { waiting, add, settle };
};

test('settled segments are let go of although an early one waits for ever', async () => {
  const { waiting, add, settle } = setup();
  add(0);
  const settled: WeakRef<object>[] = [];
  for (let msn = 1; msn <= 10_000; msn++) {
    settled.push(new WeakRef(add(msn)));
    settle(msn);
  }
  expect(waiting.oldest(0)).toBe(0);
  expect(waiting.size).toBe(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
  collectGarbage();
  const kept = settled.filter((reference) => reference.deref() !== undefined);
  expect(kept.length).toBeLessThan(200);
});

test('the oldest is the one that was advertised first, however the others are settled', () => {
  const { waiting, add, settle } = setup();
  for (let msn = 0; msn < 500; msn++) add(msn);
  for (let msn = 499; msn > 100; msn--) settle(msn);
  expect(waiting.oldest(0)).toBe(0);
  for (let msn = 0; msn < 100; msn++) settle(msn);
  expect(waiting.oldest(0)).toBe(100);
  expect(waiting.all().map(({ key }) => key.msn)).toEqual([100]);
  settle(100);
  expect(waiting.oldest(0)).toBeUndefined();
});
