import { expect, test } from 'vitest';
import type { Pressure } from '../../../src/capacity/pressure.ts';
import { sacrificed, strainOf } from '../../../src/capacity/strain.ts';
import { StrainWatch } from '../../../src/capacity/strainWatch.ts';

const CALM: Pressure = { cpu: 99, memory: 0, io: 0 };
const SQUEEZED: Pressure = { cpu: 0, memory: 55, io: 0 };
const JOBS = [
  { id: 'old', priority: 0, begunAt: 1 },
  { id: 'young', priority: 0, begunAt: 3 },
  { id: 'dear', priority: 5, begunAt: 9 },
];

test('waiting for processors alone strains nobody; memory, disks and a disk that fills up do', () => {
  expect(strainOf(CALM, 'low')).toBeUndefined();
  expect(strainOf(SQUEEZED, 'good')?.resource).toBe('memory');
  expect(strainOf(undefined, 'critical')?.resource).toBe('disk');
});

test('of the jobs of the lowest priority the youngest goes, and the last job never', () => {
  expect(sacrificed(JOBS)?.id).toBe('young');
  expect(sacrificed([...JOBS].reverse())?.id).toBe('young');
  expect(sacrificed(JOBS.slice(2))).toBeUndefined();
});

function setup(policy: 'keep' | 'stop') {
  let elapsed = 0;
  const state = { pressure: CALM, stopped: [] as string[], told: [] as string[] };
  const watch = new StrainWatch({
    policy: () => policy,
    pressure: () => state.pressure,
    diskLevel: () => 'good',
    jobs: async () => JOBS.filter(({ id }) => !state.stopped.includes(id)),
    stop: (jobId) => void state.stopped.push(jobId),
    tell: (type) => void state.told.push(type),
    clock: {
      now: () => elapsed,
      elapsed: () => elapsed,
      setTimeout: () => 0,
      clearTimeout: () => undefined,
    },
    log: () => undefined,
  });
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i += 5) {
      elapsed += 5_000;
      await watch.look();
    }
  };
  return { state, pass };
}

test('one job after the other is stopped until the others are well', async () => {
  const { state, pass } = setup('stop');
  state.pressure = SQUEEZED;
  await pass(30);
  expect(state.stopped).toEqual([]);
  await pass(5);
  expect(state.stopped).toEqual(['young']);
  await pass(55);
  expect(state.stopped).toEqual(['young']);
  await pass(5);
  expect(state.stopped).toEqual(['young', 'old']);
  await pass(600);
  expect(state.stopped).toEqual(['young', 'old']);
  state.pressure = CALM;
  await pass(5);
  expect(state.told).toEqual(['capacity.strained', 'capacity.relieved']);
});

test('a strain that passes stops nobody, and neither does any where all jobs are to be kept', async () => {
  const passing = setup('stop');
  for (let i = 0; i < 20; i += 1) {
    passing.state.pressure = i % 5 === 4 ? CALM : SQUEEZED;
    await passing.pass(5);
  }
  expect(passing.state).toMatchObject({ stopped: [], told: [] });
  const keeping = setup('keep');
  keeping.state.pressure = SQUEEZED;
  await keeping.pass(600);
  expect(keeping.state).toMatchObject({ stopped: [], told: ['capacity.strained'] });
});
