import { expect, test } from 'vitest';
import { RecorderLoad } from '../../../src/hosts/pool/recorderLoad.ts';
import { SimClock } from '../../simulation/simClock.ts';

function setup() {
  const clock = new SimClock();
  const load = new RecorderLoad({
    now: () => clock.now,
    elapsed: () => clock.now,
    setTimeout: () => 0,
    clearTimeout: () => undefined,
  });
  let bytes = 0;
  const run = (seconds: number, bytesPerSecond: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.now += 1_000;
      bytes += bytesPerSecond;
      load.report(bytes);
    }
  };
  return { clock, load, run };
}

test('a recorder that has not told has no rate', () => {
  expect(setup().load.bytesPerSecond).toBeUndefined();
});

test('a rate follows what is reported, and a change of it within some ten seconds', () => {
  const { load, run } = setup();
  run(5, 1_000);
  expect(load.bytesPerSecond).toBe(1_000);
  run(40, 9_000);
  expect(load.bytesPerSecond).toBeGreaterThan(8_500);
});

test('reports that follow each other at once, or begin anew at nought, make no wild rate', () => {
  const { clock, load, run } = setup();
  run(5, 1_000);
  clock.now += 1;
  load.report(500_000);
  expect(load.bytesPerSecond).toBe(1_000);
  clock.now += 999;
  load.report(0);
  expect(load.bytesPerSecond).toBe(900);
});
