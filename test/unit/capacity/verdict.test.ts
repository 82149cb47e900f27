import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Budget, overloadOf, resourcesOf, roomFor } from '../../../src/capacity/verdict.ts';

const cost = {
  cpu: 0.5,
  memoryBytes: 100,
  networkBytesPerSecond: 10,
  diskBytesPerSecond: 10,
  descriptors: 5,
};
const budget: Budget = {
  slots: 10,
  cpu: 2,
  memory: 1_000,
  network: 1_000,
  'disk.bandwidth': 1_000,
  'disk.space': 1e9,
  descriptors: 1_000,
};

test('a job fits as long as every resource has room for it', () => {
  const three = [{ cost }, { cost }, { cost }];
  expect(overloadOf(cost, budget, { loads: three, now: 0 })).toBeUndefined();
  expect(overloadOf(cost, budget, { loads: [...three, { cost }], now: 0 })).toMatchObject({
    resource: 'cpu',
    limit: 2,
    expected: 2,
    needed: 0.5,
    explanation:
      'Of 2.00 cores, running jobs are expected to take 2.00 cores, and this one would take 0.50 cores.',
  });
});

test('it fits when enough of the running jobs have ended, as far as their ends are known', () => {
  const loads = [{ cost, endsAt: 3_000 }, { cost }, { cost, endsAt: 1_000 }, { cost }];
  expect(overloadOf(cost, budget, { loads, now: 0 })?.fitsAt).toBe(1_000);
  const endless = loads.map(({ cost }) => ({ cost }));
  expect(overloadOf(cost, budget, { loads: endless, now: 0 })).not.toHaveProperty('fitsAt');
});

test('of several resources the one that is exceeded most is named', () => {
  const small = { ...budget, cpu: 0.4, memory: 10 };
  expect(overloadOf(cost, small, { loads: [], now: 0 })?.resource).toBe('memory');
});

test('what neighbours take is told apart from what the machine has', () => {
  const busy = { ...budget, cpu: 0.1, whole: { cpu: 2, memory: 1_000 } };
  expect(overloadOf(cost, busy, { loads: [], now: 0 })).toMatchObject({ limit: 0.1, whole: 2 });
  const few = { ...busy, cpu: 2, descriptors: 1 };
  expect(overloadOf(cost, few, { loads: [], now: 0 })).not.toHaveProperty('whole');
});

test('room on the disk is asked for an hour, or for what a job still has to record', () => {
  const full = { ...budget, 'disk.space': 10 * 3_600 + 10 * 60 - 1 };
  const ends = (endsAt: number) => ({ loads: [{ cost, endsAt }], now: 0 });
  expect(overloadOf(cost, full, ends(60_000))?.resource).toBe('disk.space');
  expect(overloadOf(cost, full, ends(50_000))).toBeUndefined();
});

test('a machine that waits for memory takes nothing more, whatever the sums say', () => {
  const pressed = { ...budget, pressure: { cpu: 1, memory: 50, io: 0 } };
  expect(overloadOf(cost, pressed, { loads: [], now: 0 })).toMatchObject({
    resource: 'pressure',
    expected: 50,
  });
});

test('processors that are waited for are no reason, unless somebody says from when on they are', () => {
  const pressed = { ...budget, pressure: { cpu: 99, memory: 0, io: 0 } };
  expect(overloadOf(cost, pressed, { loads: [], now: 0 })).toBeUndefined();
  const careful = { ...pressed, cpuPressureMax: 95 };
  expect(overloadOf(cost, careful, { loads: [], now: 0 })?.resource).toBe('pressure');
});

test('the room that is told is the room that there is, one job after the other', () => {
  const whole = fc.integer({ min: 1, max: 40 });
  const costs = fc.record({
    cpu: whole,
    memoryBytes: whole,
    networkBytesPerSecond: whole,
    diskBytesPerSecond: whole,
    descriptors: whole,
  });
  fc.assert(
    fc.property(costs, fc.array(costs, { maxLength: 4 }), (one, running) => {
      const some: Budget = { ...budget, slots: 12, cpu: 90, memory: 200, network: 150 };
      const loads = running.map((cost) => ({ cost }));
      let fitting = 0;
      while (!overloadOf(one, some, { loads, now: 0 })) {
        loads.push({ cost: one });
        fitting += 1;
      }
      const before = { loads: running.map((cost) => ({ cost })), now: 0 };
      expect(roomFor(one, some, before)).toBe(fitting);
    }),
  );
});

test('what is admitted one by one never exceeds any resource', () => {
  const positive = fc.double({ min: 0.01, max: 10, noNaN: true });
  const costs = fc.record({
    cpu: positive,
    memoryBytes: positive,
    networkBytesPerSecond: positive,
    diskBytesPerSecond: positive,
    descriptors: positive,
  });
  fc.assert(
    fc.property(fc.array(costs, { maxLength: 40 }), (asked) => {
      const tight: Budget = { ...budget, cpu: 12, memory: 15, network: 20, descriptors: 30 };
      const loads: { cost: typeof cost }[] = [];
      for (const one of asked)
        if (!overloadOf(one, tight, { loads, now: 0 })) loads.push({ cost: one });
      for (const { limit, expected } of resourcesOf(tight, { loads, now: 0 }, cost))
        expect(expected).toBeLessThanOrEqual(limit);
    }),
  );
});
