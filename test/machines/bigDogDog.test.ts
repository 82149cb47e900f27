import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { bigDogDog, type JobReleased } from '../../machines/bigDogDog.ts';
import { FencedError } from '../../machines/ports.ts';
import { setupPorts } from './ports.ts';

const setup = () => {
  const bundle = setupPorts();
  const root = createActor(bigDogDog(bundle.ports), { clock: bundle.clock as never });
  root.subscribe({ error: () => {} });
  const released: JobReleased[] = [];
  root.on('job.released', (one) => released.push(one));
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
  return { ...bundle, root, released, add, trip };
};

test('a Big Dog that throws is restarted, and its recorder lives on and is adopted', async () => {
  const { add, trip, orders, decisions, pass } = setup();
  await add();
  await trip();
  await pass(1_000);
  expect(orders).toEqual(['clear', 'take', 'release', 'clear', 'take']);
  expect(decisions.map(({ decision }) => decision)).toEqual([
    'bigDog.restart',
    'bigDog.recovered',
    'recorder.adopt',
  ]);
  expect(decisions[1]).toMatchObject({
    dog: 'bigDogDog',
    why: 'crashed',
    evidence: { downMs: 100 },
  });
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

const refusal = { to: 'rejected', why: 'capacity.exceeded', evidence: { cpu: 0.97 } } as const;
const refused = { to: 'rejected', cause: 'capacity.exceeded', evidence: { cpu: 0.97 } } as const;

test('a job that comes with a refusal ends with it, and nothing of it ever records', async () => {
  const { root, moves, orders, released, settle } = setup();
  root.send({ type: 'job.add', jobId: 'rex', order: { type: 'job.refuse', ...refusal } });
  await settle();
  expect(moves).toMatchObject([{ from: 'pending', ...refused }]);
  expect(orders).toEqual(['clear']);
  expect(released).toEqual([{ type: 'job.released', jobId: 'rex', why: 'ended' }]);
});

test('a refusal keeps its evidence over a fall of the dog that was to carry it out', async () => {
  const { root, ports, moves, orders, pass } = setup();
  const { open } = ports.store;
  ports.store.open = async () => {
    ports.store.open = open;
    throw new Error('tripped');
  };
  root.send({ type: 'job.add', jobId: 'rex', order: { type: 'job.refuse', ...refusal } });
  await pass(1_000);
  expect(moves).toMatchObject([refused]);
  expect(orders).not.toContain('take');
});

test('a stop and a kill are stronger than a refusal, whichever comes first', async () => {
  for (const type of ['job.stop', 'job.kill'] as const)
    for (const isFirst of [true, false]) {
      const { root, moves, settle } = setup();
      const refuse = { type: 'job.refuse', jobId: 'rex', ...refusal } as const;
      root.send({ type: 'job.add', jobId: 'rex' });
      if (isFirst) root.send({ type, jobId: 'rex' });
      root.send(refuse);
      if (!isFirst) root.send({ type, jobId: 'rex' });
      await settle();
      expect(moves).toMatchObject([{ from: 'pending', to: 'cancelled', cause: type }]);
    }
});

test('a refusal of a job that has begun is void: it goes on', async () => {
  const { root, add, moves, orders, pass } = setup();
  await add();
  root.send({ type: 'job.refuse', jobId: 'rex', ...refusal });
  await pass(1_000);
  expect(moves).toMatchObject([{ to: 'recording' }]);
  expect(orders).toEqual(['clear', 'take']);
});

test('a job that is to end at once needs no room, and is taken while the node drains', async () => {
  const { root, add, moves, released, settle, world } = setup();
  for (const jobId of ['a', 'b']) {
    world.live = false;
    await add(jobId);
  }
  world.live = false;
  root.send({ type: 'job.add', jobId: 'c', order: { type: 'job.refuse', ...refusal } });
  await settle();
  root.send({ type: 'node.drain' });
  root.send({ type: 'job.add', jobId: 'd', order: { type: 'job.kill' } });
  await settle();
  expect(moves.filter(({ from }) => from === 'pending').map(({ to }) => to)).toEqual([
    'recording',
    'recording',
    'rejected',
    'cancelled',
  ]);
  expect(released.map(({ jobId, why }) => `${jobId} ${why}`)).toEqual(['c ended', 'd ended']);
});

test('a job that was abandoned stays so when it is told to stop', async () => {
  const { root, add, ports, moves, pass } = setup();
  ports.finish.footage = async () => {
    throw new Error('the journal is corrupt');
  };
  await add();
  await pass(150);
  root.send({ type: 'job.stop', jobId: 'rex' });
  await pass(10_000);
  expect(moves).toMatchObject([{ to: 'failed', cause: 'bigDog.spent' }]);
});

test('a fenced dog is not restarted, and whatever records here is ended', async () => {
  const { add, orders, decisions, released, ports, pass, world } = setup();
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
  expect(released).toMatchObject([{ jobId: 'rex', why: 'fenced' }]);
});

test('no more jobs are taken than there is room for', async () => {
  const { root, released, add } = setup();
  for (const jobId of ['a', 'b', 'c']) await add(jobId);
  expect(released).toEqual([{ type: 'job.released', jobId: 'c', why: 'full' }]);
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

test('a job that comes while the node drains is refused aloud, one that it has already is not', async () => {
  const { root, released, add } = setup();
  await add();
  root.send({ type: 'node.drain' });
  await add();
  expect(released).toEqual([]);
  await add('late');
  expect(released).toEqual([{ type: 'job.released', jobId: 'late', why: 'draining' }]);
});

test('a job whose journal cannot be read any more ends all the same, with the reason', async () => {
  const { add, moves, ports, pass, released, orders } = setup();
  ports.finish.footage = async () => {
    throw new Error('the journal is corrupt');
  };
  await add();
  await pass(10_000);
  expect(orders).toContain('end');
  expect(moves).toMatchObject([{ from: 'pending', to: 'failed', cause: 'bigDog.spent' }]);
  expect(released).toEqual([{ type: 'job.released', jobId: 'rex', why: 'ended' }]);
});

test('a job of which not even the end can be written is let go with a reason, and never tried for ever', async () => {
  const { add, clock, ports, pass, released, decisions } = setup();
  ports.store.open = async () => {
    throw new Error('there is no such row');
  };
  await add();
  await pass(60_000);
  expect(released).toMatchObject([{ jobId: 'rex', why: 'spent' }]);
  expect(decisions.at(-1)).toMatchObject({
    why: 'spent',
    evidence: { error: 'Error: there is no such row' },
  });
  expect(clock.pending).toBe(0);
});
