import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import type { LearntCost } from '../../../src/capacity/costBook.ts';
import { NodeCapacity } from '../../../src/capacity/nodeCapacity.ts';
import type { CarriedJob } from '../../../src/capacity/usage.ts';

const MIB = 1024 ** 2;
/** Holds 100 MiB, and works for a while whenever it is told to; a clock tick of `/proc` is 10 ms. */
const BUSY = `const kept = Buffer.alloc(${100 * MIB}, 1);
process.on('message', () => {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 50_000) kept[0] += 1;
  process.send('done');
});`;

function setup({ jobsMax = 100 }: { jobsMax?: number } = {}) {
  const child = spawn(process.execPath, ['-e', BUSY], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const kept = new Map<string, LearntCost>();
  const jobs: CarriedJob[] = [];
  let elapsed = 0;
  const capacity = new NodeCapacity({
    limits: () => ({ jobsMax, cpuShare: 1, memoryShare: 1, diskReserveBytes: 0 }),
    machine: {
      cores: 64,
      memoryBytes: 1e12,
      isOwn: { cores: false, memory: false },
      descriptors: 1e6,
    },
    records: {
      all: async () => [],
      put: async (key, cost) => void kept.set(key, cost),
    },
    carriers: () => [{ pid: child.pid ?? 0, jobs }],
    freeBytes: async () => 1e15,
    clock: { now: () => 1_000, elapsed: () => elapsed, setTimeout: () => 0, clearTimeout: () => 0 },
    log: () => undefined,
  });
  /** A look after some work was done, and so much has passed on the clock. */
  const look = async (afterMs: number) => {
    child.send('work');
    await once(child, 'message');
    elapsed += afterMs;
    await capacity.look();
  };
  return { capacity, jobs, kept, look };
}

test('what a carrier uses is shared by the bytes that its recordings receive, and learnt when they end', async () => {
  const { capacity, jobs, kept, look } = setup();
  capacity.admitted({ id: 'big', costKey: 'hls|a|best' });
  capacity.admitted({ id: 'small', costKey: 'hls|b|best' });
  await look(1_000);
  jobs.push({ jobId: 'big', bytes: 0 }, { jobId: 'small', bytes: 0 });
  await look(1_000);
  for (let second = 1; second <= 3; second += 1) {
    jobs.splice(
      0,
      2,
      { jobId: 'big', bytes: second * 30_000_000 },
      { jobId: 'small', bytes: second * 10_000_000 },
    );
    await look(15_000);
  }
  capacity.ended('big');
  capacity.ended('small');
  await Promise.resolve();
  const big = kept.get('hls|a|best')?.mean;
  const small = kept.get('hls|b|best')?.mean;
  expect(big?.networkBytesPerSecond).toBeGreaterThan(1_500_000);
  expect(big?.networkBytesPerSecond).toBeCloseTo((small?.networkBytesPerSecond ?? 0) * 3, 0);
  expect(big?.cpu).toBeGreaterThan(0);
  expect(big?.cpu).toBeGreaterThan((small?.cpu ?? 0) * 2);
  expect(big?.memoryBytes).toBeGreaterThan(0);
  expect(capacity.estimate('hls|a|best').networkBytesPerSecond).toBeGreaterThan(1_500_000);
});

test('admitted jobs count before they have begun, and not any more once they have ended', () => {
  const { capacity } = setup({ jobsMax: 1 });
  expect(capacity.overload('hls')).toBeUndefined();
  capacity.admitted({ id: 'a', costKey: 'hls', endsAt: 5_000 });
  expect(capacity.overload('hls')).toMatchObject({ resource: 'slots', fitsAt: 5_000 });
  expect(capacity.report()).toMatchObject({ running: 1, typical: { more: 0 } });
  capacity.ended('a');
  expect(capacity.overload('hls')).toBeUndefined();
  expect(capacity.report().typical.more).toBe(1);
});

test('a recording that ended after a moment teaches nothing', async () => {
  const { capacity, jobs, kept, look } = setup();
  capacity.admitted({ id: 'a', costKey: 'hls|a' });
  jobs.push({ jobId: 'a', bytes: 0 });
  await look(1_000);
  await look(5_000);
  capacity.ended('a');
  expect(kept.size).toBe(0);
});
