import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { bigDogDog } from '../../machines/bigDogDog.ts';
import { FencedError } from '../../machines/ports.ts';
import { setupPorts } from './ports.ts';

const setup = () => {
  const bundle = setupPorts();
  const root = createActor(bigDogDog(bundle.ports), { clock: bundle.clock as never });
  root.subscribe({ error: () => {} });
  root.start();
  const add = async (jobId = 'rex') => {
    root.send({ type: 'job.add', jobId });
    await bundle.settle();
  };
  /** A bug in the dog: its heartbeat's next sample throws. */
  const trip = async () => {
    const { leash } = bundle.ports;
    const { progress } = leash;
    leash.progress = () => {
      leash.progress = progress;
      throw new Error('tripped');
    };
    await bundle.pass(1_000);
  };
  return { ...bundle, root, add, trip };
};

test('a Big Dog that throws is restarted, and its recorder lives on and is adopted', async () => {
  const { add, trip, orders, decisions, pass } = setup();
  await add();
  await trip();
  await pass(1_000);
  expect(orders).toEqual(['clear', 'take', 'release', 'clear', 'take']);
  expect(decisions.map(({ decision }) => decision)).toEqual(['bigDog.restart', 'recorder.adopt']);
});

test('a Big Dog that falls too often is given up: its recorder is killed and the job fails', async () => {
  const { add, trip, orders, moves, world, pass, settle } = setup();
  await add();
  for (let fall = 0; fall < 3; fall++) {
    await trip();
    await pass(1_000);
  }
  expect(orders.at(-1)).toBe('kill abandoned');
  world.live = false;
  const exit = { kind: 'crashed', why: 'abandoned', retryable: true, evidence: {} } as const;
  world.hear?.({ type: 'recorder.exited', exit });
  await settle();
  expect(moves.at(-1)).toMatchObject({ to: 'failed', cause: 'bigDog.spent' });
});

test('an order that a falling dog had not carried out is given to its next life', async () => {
  const { root, add, trip, orders, pass } = setup();
  await add();
  await trip();
  root.send({ type: 'job.stop', jobId: 'rex' });
  expect(orders).not.toContain('stop stopped');
  await pass(1_000);
  expect(orders).toContain('stop stopped');
});

test('a fenced dog is not restarted, and whatever records here is ended', async () => {
  const { add, orders, decisions, ports, pass, world } = setup();
  const { open } = ports.store;
  ports.store.open = async (jobId, signal) => {
    const opened = await open(jobId, signal);
    const commit = async () => {
      throw new FencedError('another owner');
    };
    return { ...opened, log: { commit } };
  };
  world.live = false;
  await add();
  await pass(10_000);
  expect(orders).toEqual(['clear', 'end']);
  expect(decisions).toMatchObject([{ decision: 'recorder.kill', why: 'fenced' }]);
});

test('no more jobs are taken than there is room for', async () => {
  const { root, add } = setup();
  for (const jobId of ['a', 'b', 'c']) await add(jobId);
  expect([...root.getSnapshot().context.pack.keys()]).toEqual(['a', 'b']);
});

test('draining waits for fallen dogs too', async () => {
  const { root, add, trip, pass, world, settle } = setup();
  await add();
  await trip();
  root.send({ type: 'node.drain' });
  expect(root.getSnapshot().value).toBe('draining');
  await pass(1_000);
  world.live = false;
  const exit = { kind: 'stopped', why: 'stopped', retryable: true, evidence: {} } as const;
  world.hear?.({ type: 'recorder.exited', exit });
  await settle();
  expect(root.getSnapshot().value).toBe('drained');
});
