import { expect, test } from 'vitest';
import type { JobReleased } from '../../machines/bigDogDog.ts';
import { supervisionTree } from '../../machines/tree.ts';
import { setupPorts } from './ports.ts';

const setup = () => {
  const bundle = setupPorts();
  const released: JobReleased[] = [];
  const falls: unknown[] = [];
  const spent: unknown[] = [];
  const recovered: number[] = [];
  const jobs = { unfinished: async (): Promise<string[]> => [] };
  const tree = supervisionTree({
    ports: bundle.ports,
    clock: bundle.clock as never,
    unfinished: () => jobs.unfinished(),
    onFall: ({ error }) => falls.push(error),
    onRecovered: ({ downMs }) => recovered.push(downMs),
    onSpent: (error) => spent.push(error),
    onRelease: (one) => released.push(one),
  });
  return { ...bundle, tree, jobs, released, falls, spent, recovered };
};

test('a job that comes after the drain is refused aloud: whoever waits for its end would wait for ever', async () => {
  const { tree, released } = setup();
  await tree.start();
  await tree.drain();
  tree.send({ type: 'job.add', jobId: 'late' });
  expect(released).toEqual([{ type: 'job.released', jobId: 'late', why: 'draining' }]);
});

test('an order to drain before the root is up is obeyed when it is', async () => {
  const { tree, released } = setup();
  const drained = tree.drain();
  tree.send({ type: 'job.add', jobId: 'late' });
  await tree.start();
  await drained;
  expect(released).toEqual([{ type: 'job.released', jobId: 'late', why: 'draining' }]);
});

test('a root that cannot find its jobs when it is raised again falls again, until its budget is spent', async () => {
  const { tree, jobs, ports, falls, spent, pass } = setup();
  await tree.start();
  jobs.unfinished = async () => {
    throw new Error('the database answers nonsense');
  };
  ports.store.record = () => {
    throw new Error('a bug in the root');
  };
  ports.store.open = async () => {
    throw new Error('a bug in the dog');
  };
  tree.send({ type: 'job.add', jobId: 'rex' });
  await pass(60_000);
  expect(falls.length).toBe(2);
  expect(spent).toHaveLength(1);
});

test('a refusal outlives the root, with its evidence, and a root that is up again is told of', async () => {
  const { tree, ports, moves, orders, pass, falls, recovered } = setup();
  await tree.start();
  const { record } = ports.store;
  const { open } = ports.store;
  ports.store.open = async () => {
    ports.store.open = open;
    throw new Error('a bug in the dog');
  };
  ports.store.record = () => {
    ports.store.record = record;
    throw new Error('a bug in the root');
  };
  const refusal = { to: 'expired', why: 'queue.expired', evidence: { waitedMs: 60_000 } } as const;
  tree.send({ type: 'job.add', jobId: 'rex', order: { type: 'job.refuse', ...refusal } });
  await pass(1_000);
  expect(falls).toHaveLength(1);
  expect(recovered).toEqual([100]);
  expect(moves).toMatchObject([
    { to: 'expired', cause: 'queue.expired', evidence: { waitedMs: 60_000 } },
  ]);
  expect(orders).not.toContain('take');
});

test('whoever asks sees every layer of every job, with what it has recovered from', async () => {
  const { tree, world, pass } = setup();
  await tree.start();
  expect(tree.watch()).toEqual([]);
  tree.send({ type: 'job.add', jobId: 'rex' });
  world.beats = 1;
  await pass(0);
  await pass(2_500);
  const layersOf = () =>
    Object.fromEntries(tree.watch()[0]?.layers.map((layer) => [layer.layer, layer]) ?? []);
  const quiet = { isRunning: true, misses: 0, recoveries: 0 };
  expect(tree.watch()[0]).toMatchObject({ jobId: 'rex', state: 'recording', attempt: 1 });
  expect(layersOf()).toMatchObject({
    recorder: { ...quiet, lastProgressAt: 0 },
    durationDoggy: quiet,
    tempFileDoggy: quiet,
    heartbeatDoggy: { ...quiet, misses: 2, lastProgressAt: 0 },
    bigDog: quiet,
    bigDogDog: quiet,
  });
  await pass(500);
  const exit = { kind: 'crashed', why: 'silent', retryable: true, evidence: {} } as const;
  world.live = false;
  world.hear?.({ type: 'recorder.exited', exit });
  await pass(0);
  expect(layersOf()).toMatchObject({
    recorder: { isRunning: false, recoveries: 1 },
    heartbeatDoggy: { isRunning: false, recoveries: 1 },
  });
  world.beats = undefined;
  await pass(1_000);
  world.settled = 1;
  await pass(1_000);
  const recovery = {
    isRunning: true,
    recoveries: 1,
    lastRecoveryMs: 1_100,
    worstRecoveryMs: 1_100,
  };
  expect(layersOf()).toMatchObject({ recorder: recovery, heartbeatDoggy: recovery });
});
