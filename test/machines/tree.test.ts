import { expect, test } from 'vitest';
import type { JobReleased } from '../../machines/bigDogDog.ts';
import { supervisionTree } from '../../machines/tree.ts';
import { setupPorts } from './ports.ts';

const setup = () => {
  const bundle = setupPorts();
  const released: JobReleased[] = [];
  const falls: unknown[] = [];
  const spent: unknown[] = [];
  const jobs = { unfinished: async (): Promise<string[]> => [] };
  const tree = supervisionTree({
    ports: bundle.ports,
    clock: bundle.clock as never,
    unfinished: () => jobs.unfinished(),
    onFall: ({ error }) => falls.push(error),
    onSpent: (error) => spent.push(error),
    onRelease: (one) => released.push(one),
  });
  return { ...bundle, tree, jobs, released, falls, spent };
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
