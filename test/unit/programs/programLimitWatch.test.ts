import { expect, it } from 'vitest';
import { ProgramLimitWatch } from '../../../src/programs/programLimitWatch.ts';

const LIMITS = {
  memoryBytesMax: 1_000,
  coresMax: 1.5,
  logBytesPerMinuteMax: 100,
  fileBytesMax: 50,
  openFilesMax: 10,
  processesMax: 10,
};
const calm = { elapsedMs: 0, cpuMs: 0, residentBytes: 0, fileBytes: 0, processes: 1 };

it('takes memory above the limit for a peak until it stays', () => {
  const watch = new ProgramLimitWatch(LIMITS);
  const above = { ...calm, residentBytes: 1_001 };
  expect(watch.look(above)).toBe(undefined);
  expect(watch.look(calm)).toBe(undefined);
  expect(watch.look(above)).toBe(undefined);
  expect(watch.look(above)).toEqual({ limit: 'memoryBytesMax', value: 1_001, max: 1_000 });
});

it('averages the CPU over half a minute, so that a hard-working start is no harm', () => {
  const watch = new ProgramLimitWatch(LIMITS);
  let cpuMs = 0;
  let found: unknown;
  for (let second = 0; second <= 120 && found === undefined; second++) {
    found = watch.look({ ...calm, elapsedMs: second * 1_000, cpuMs });
    // Four cores for ten seconds, then one.
    cpuMs += second < 10 ? 4_000 : 1_000;
  }
  expect(found).toEqual({ limit: 'coresMax', value: 2, max: 1.5 });

  const modest = new ProgramLimitWatch(LIMITS);
  for (let second = 0; second <= 120; second++) {
    const now = {
      ...calm,
      elapsedMs: second * 1_000,
      cpuMs: second * 1_400 + (second > 60 ? 3_000 : 0),
    };
    expect(modest.look(now)).toBe(undefined);
  }
});

it('sees CPU that begins to burn late', () => {
  const watch = new ProgramLimitWatch(LIMITS);
  let seen: number | undefined;
  for (let second = 0; second <= 200 && seen === undefined; second++) {
    const cpuMs = Math.max(0, second - 100) * 2_000;
    if (watch.look({ ...calm, elapsedMs: second * 1_000, cpuMs }) !== undefined) seen = second;
  }
  expect(seen).toBe(123);
});

it('counts what is said minute by minute', () => {
  const watch = new ProgramLimitWatch(LIMITS);
  expect(watch.said(100, 5_000)).toBe(undefined);
  expect(watch.said(100, 65_000)).toBe(undefined);
  expect(watch.said(1, 124_999)).toEqual({ limit: 'logBytesPerMinuteMax', value: 101, max: 100 });
});

it('sees files that a program has no business to write', () => {
  const watch = new ProgramLimitWatch(LIMITS);
  const found = watch.look({ ...calm, fileBytes: 51 });
  expect(found).toEqual({ limit: 'fileBytesMax', value: 51, max: 50 });
});

it('counts the processes and threads of a program', () => {
  const watch = new ProgramLimitWatch(LIMITS);
  expect(watch.look({ ...calm, processes: 10 })).toBe(undefined);
  const found = watch.look({ ...calm, processes: 11 });
  expect(found).toEqual({ limit: 'processesMax', value: 11, max: 10 });
});
