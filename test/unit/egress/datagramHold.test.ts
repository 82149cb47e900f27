import { expect, test } from 'vitest';
import { DatagramHold } from '../../../src/egress/datagramHold.ts';
import { PassMeter } from '../../../src/egress/passMeter.ts';
import { movedClock } from '../hls/transportServer.ts';

/** Datagrams of 1,000 bytes through a cap, by their numbers. */
function setup(bytesPerSecondMax?: number) {
  const clock = movedClock();
  const meter = new PassMeter(clock, bytesPerSecondMax);
  const hold = new DatagramHold({ clock, passed: meter.received });
  const through: number[] = [];
  let count = 0;
  const come = (datagrams: number, bytes = 1_000) => {
    for (let datagram = 0; datagram < datagrams; datagram++) {
      const number = count++;
      hold.handOn(bytes, () => void through.push(number));
    }
  };
  const pass = (byMs: number) => {
    for (let ms = 0; ms < byMs; ms++) clock.move(1);
  };
  return { hold, meter, through, come, pass };
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

test('datagrams go straight on where nothing is capped', () => {
  const { through, come } = setup();
  come(5_000);
  expect(through).toEqual(numbers(5_000));
});

test('a burst above the cap is delayed and comes whole and in order', () => {
  const { through, come, pass, meter } = setup(100_000);
  // 25 come at once by the burst that the cap allows, and one on credit; the others every 10 ms.
  come(36);
  expect(through).toHaveLength(26);
  pass(50);
  expect(through).toHaveLength(31);
  pass(60);
  expect(through).toEqual(numbers(36));
  expect(meter.receivedBytes).toBe(36_000);
});

test('who sends more than the cap for good gets the cap, nothing late, and the newest', () => {
  const { through, come, pass, meter } = setup(100_000);
  const seconds = 20;
  for (let ms = 0; ms < seconds * 1_000; ms += 2) {
    come(1);
    pass(2);
  }
  const newest = seconds * 500;
  expect(meter.receivedBytes).toBeGreaterThan(seconds * 99_000);
  expect(meter.receivedBytes).toBeLessThan(seconds * 100_000 + 27_000);
  expect(through).toEqual(through.toSorted((one, other) => one - other));
  // 120 ms are 60 datagrams.
  expect(through.at(-1)).toBeGreaterThanOrEqual(newest - 66);
});

test('no more is held than its buffer takes, however fast it comes', () => {
  const { through, come, pass } = setup(64_000_000);
  come(20_000, 2_000);
  const atOnce = through.length;
  pass(119);
  expect(through.length - atOnce).toBe(Math.floor((2 * 1024 * 1024) / 2_000));
});

test('nothing follows once it was closed', () => {
  const { hold, through, come, pass } = setup(1_000);
  come(10);
  hold.close();
  const before = through.length;
  pass(5_000);
  expect(through).toHaveLength(before);
});
