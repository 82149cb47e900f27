import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { bigDog } from '../../machines/bigDog.ts';
import type { RecorderExit } from '../../machines/ports.ts';
import { setupPorts } from './ports.ts';
import { NEWBORN } from './programSigns.ts';

type Bundle = ReturnType<typeof setupPorts>;

/** `before`: changes the world in which the dog wakes. */
const setup = async (
  state?: Parameters<typeof setupPorts>[0],
  spec?: Parameters<typeof setupPorts>[1],
  before: (bundle: Bundle) => void = () => undefined,
) => {
  const bundle = setupPorts(state, spec);
  before(bundle);
  const dog = createActor(bigDog(bundle.ports), {
    input: { jobId: 'rex' },
    clock: bundle.clock as never,
  });
  dog.subscribe({ error: () => {} });
  dog.start();
  await bundle.settle();
  const exit = async (exit: Partial<RecorderExit>) => {
    bundle.world.live = false;
    const full = {
      kind: 'crashed',
      why: 'SIGKILL',
      retryable: true,
      evidence: {},
      ...exit,
    } as const;
    bundle.world.hear?.({ type: 'recorder.exited', exit: full });
    await bundle.settle();
  };
  const started = async (at = bundle.clock.now) => {
    bundle.world.hear?.({ type: 'recorder.started', at });
    await bundle.settle();
  };
  const path = () => bundle.moves.map(({ to, cause }) => `${to} (${cause})`);
  return { ...bundle, dog, exit, started, path };
};

test('a job whose stream ends is recorded, muxed, stored and done', async () => {
  const { exit, path, moves } = await setup();
  await exit({ kind: 'ended', why: 'endlist', retryable: false });
  expect(path()).toEqual([
    'recording (job.begin)',
    'muxing (endlist)',
    'uploading (mux.done)',
    'done (upload.done)',
  ]);
  expect(moves.at(-1)).toMatchObject({ ending: 'endlist', outcome: 'complete', attempt: 1 });
});

test('a recorder that crashes is started again after its backoff, with the reason on record', async () => {
  const { exit, path, orders, pass, moves } = await setup();
  await exit({ why: 'host.died', evidence: { signal: 'SIGKILL' } });
  expect(path().at(-1)).toBe('retrying (recorder.crashed)');
  expect(moves.at(-1)?.evidence).toMatchObject({ why: 'host.died', signal: 'SIGKILL' });
  await pass(100);
  expect(path().at(-1)).toBe('recording (recorder.restart)');
  expect(orders.filter((order) => order === 'take')).toHaveLength(2);
});

test('the duration counts from the first playlist, whenever that comes', async () => {
  const { started, pass, orders } = await setup('pending', { durationMs: 10_000 });
  await pass(2_000);
  await started();
  await pass(2_000);
  expect(orders).not.toContain('stop over');
  await pass(8_000);
  expect(orders).toContain('stop over');
});

test.each([3_600_000, -3_600_000])(
  'a wall clock that steps by %i ms neither shortens nor lengthens a recording',
  async (stepMs) => {
    const { world, started, exit, pass, orders } = await setup('pending', { durationMs: 10_000 });
    await started();
    await pass(4_000);
    world.stepMs = stepMs;
    await exit({});
    await pass(5_999);
    expect(orders).not.toContain('stop over');
    await pass(1);
    expect(orders).toContain('stop over');
  },
);

test.each([3_600_000, -3_600_000])(
  'a wall clock that was set by %i ms while Kennel was away changes nothing either, where the boot is the same',
  async (stepMs) => {
    const spec = { durationMs: 10_000 };
    const { pass, orders } = await setup('recording', spec, ({ world, clock }) => {
      world.live = true;
      world.stepMs = stepMs;
      world.footage = { startedAt: clock.now - 4_000, agoMs: 4_000 };
    });
    await pass(5_999);
    expect(orders).not.toContain('stop over');
    await pass(1);
    expect(orders).toContain('stop over');
  },
);

test('a duration that is extended while it runs counts anew, from the same beginning', async () => {
  const { dog, started, pass, orders } = await setup('pending', { durationMs: 10_000 });
  await started();
  await pass(6_000);
  dog.send({ type: 'job.extend', durationMs: 20_000 });
  await pass(13_999);
  expect(orders).not.toContain('stop over');
  await pass(1);
  expect(orders).toContain('stop over');
});

test('a duration that is made shorter than what is recorded is over at once', async () => {
  const { dog, started, pass, orders } = await setup('pending', { durationMs: 60_000 });
  await started();
  await pass(6_000);
  dog.send({ type: 'job.extend', durationMs: 5_000 });
  expect(orders).toContain('stop over');
});

test('another end takes the place of the one before, whichever way either was named', async () => {
  const { dog, started, pass, orders, decisions, clock } = await setup('pending', {
    durationMs: 10_000,
  });
  await started();
  dog.send({ type: 'job.extend', endAt: clock.now + 30_000 });
  await pass(29_999);
  expect(orders).not.toContain('stop over');
  await pass(1);
  expect(orders).toContain('stop over');
  expect(decisions.at(-1)).toMatchObject({ why: 'over', evidence: { by: 'endAt', overdueMs: 0 } });
});

test('a duration that is extended while the recorder lies fallen lets another one be started', async () => {
  const { dog, started, pass, exit, path, orders } = await setup('pending', { durationMs: 10_000 });
  await started();
  await pass(9_950);
  await exit({});
  dog.send({ type: 'job.extend', durationMs: 20_000 });
  await pass(200);
  expect(path().at(-1)).toBe('recording (recorder.restart)');
  await pass(9_850);
  expect(orders).toContain('stop over');
});

test('another end that comes while a dog reads its row is not lost', async () => {
  const bundle = setupPorts('pending', { durationMs: 10_000 });
  const dog = createActor(bigDog(bundle.ports), {
    input: { jobId: 'rex' },
    clock: bundle.clock as never,
  }).start();
  dog.send({ type: 'job.extend', durationMs: 20_000 });
  await bundle.settle();
  expect(dog.getSnapshot().context.job.spec.durationMs).toBe(20_000);
});

test('an end by the time of day ends a recording that never began, too', async () => {
  const { pass, orders } = await setup('pending', { endAt: 5_000 });
  await pass(4_999);
  expect(orders).not.toContain('stop over');
  await pass(1);
  expect(orders).toContain('stop over');
});

test('a recorder that fell after the end by the time of day is not started again', async () => {
  const { pass, started, exit, path } = await setup('pending', { endAt: 5_000 });
  await started();
  await pass(4_950);
  await exit({});
  await pass(200);
  expect(path()).toContain('muxing (over)');
});

test('when a recorder records again after a fall, that is told with the cause and how long it took', async () => {
  const { pass, exit, decisions, world } = await setup();
  const recovered = () => decisions.filter(({ decision }) => decision === 'recorder.recovered');
  world.settled = 4;
  await exit({});
  await pass(3_000);
  expect(recovered()).toEqual([]);
  world.settled = 5;
  await pass(500);
  await pass(5_000);
  expect(recovered()).toEqual([
    {
      jobId: 'rex',
      dog: 'bigDog',
      decision: 'recorder.recovered',
      why: 'recorder.crashed',
      evidence: { downMs: 3_100, attempt: 2 },
    },
  ]);
});

test('several falls in a row are one time without a recording, and a program counts by its media', async () => {
  const { pass, exit, decisions, world } = await setup();
  world.program = { ...NEWBORN, agedMs: 1, mediaMs: 40, recordedMs: 40 };
  await exit({});
  await pass(1_000);
  await exit({});
  await pass(1_000);
  world.program = { ...NEWBORN, agedMs: 1, run: 2, mediaMs: 40, recordedMs: 80 };
  await pass(1_000);
  expect(decisions.at(-1)).toMatchObject({
    decision: 'recorder.recovered',
    evidence: { downMs: 2_100, attempt: 3 },
  });
});

test('a recorder that does not finish within its grace is killed, and the decision is recorded', async () => {
  const { dog, pass, orders, decisions } = await setup();
  dog.send({ type: 'job.stop' });
  await pass(4_999);
  expect(orders).not.toContain('kill stopped');
  await pass(1);
  expect(orders).toContain('kill stopped');
  expect(decisions).toContainEqual({
    jobId: 'rex',
    dog: 'bigDog',
    decision: 'recorder.kill',
    why: 'grace',
    evidence: { graceMs: 5_000 },
  });
});

test('a silent recorder is killed and started again', async () => {
  const { pass, orders, exit, path, decisions, world } = await setup();
  world.beats = 7;
  await pass(5_000);
  expect(orders).toContain('kill silent');
  expect(decisions.at(-1)).toMatchObject({ dog: 'heartbeatDoggy', why: 'silent' });
  await exit({ why: 'silent' });
  expect(path().at(-1)).toBe('retrying (recorder.silent)');
});

test('a program that has brought all that was asked for is told to finish, and not started again', async () => {
  const { pass, orders, decisions, started, world, exit, path } = await setup('pending', {
    durationMs: 60_000,
  });
  await started();
  world.program = { ...NEWBORN, recordedMs: 60_500 };
  await pass(1_500);
  expect(orders).toContain('stop over');
  expect(decisions.at(-1)).toMatchObject({
    dog: 'durationDoggy',
    decision: 'recorder.stop',
    evidence: { by: 'media', recordedMs: 60_500, durationMs: 60_000 },
  });
  await exit({ kind: 'stopped' });
  expect(path()).toContain('muxing (over)');
});

test('a program that fell when it had brought all that was asked for is not started again', async () => {
  const { orders, started, world, exit, path, pass } = await setup('pending', {
    durationMs: 60_000,
  });
  await started();
  world.program = { ...NEWBORN, recordedMs: 60_000 };
  await exit({});
  await pass(200);
  expect(path()).toContain('muxing (over)');
  expect(orders.filter((order) => order === 'take')).toHaveLength(1);
});

test('a recorder that muxes by itself is killed and started again', async () => {
  const { world, pass, orders, decisions } = await setup();
  world.stray = { sign: 'temp', file: 'show.temp.mp4' };
  await pass(1_000);
  expect(orders).toContain('kill muxing');
  expect(decisions.at(-1)).toMatchObject({
    dog: 'tempFileDoggy',
    evidence: { file: 'show.temp.mp4' },
  });
});

test('a spent restart budget ends as failed, with what was recorded finished', async () => {
  const { exit, pass, path, moves } = await setup();
  for (let crash = 0; crash < 3; crash++) {
    await exit({});
    await pass(1_000);
  }
  expect(path().slice(-3)).toEqual([
    'muxing (recorder.spent)',
    'uploading (mux.done)',
    'failed (recorder.spent)',
  ]);
  expect(moves.at(-1)).toMatchObject({ verdict: 'recorder.spent', outcome: 'complete' });
});

test('a source that is not there fails at once, without a retry', async () => {
  const { exit, path, world, moves } = await setup();
  world.segments = 0;
  await exit({ kind: 'failed', why: 'source.notFound', retryable: false });
  expect(path()).toEqual(['recording (job.begin)', 'failed (source.notFound)']);
  expect(moves.at(-1)?.verdict).toBe('source.notFound');
});

test('a kill cancels only when the recorder is gone', async () => {
  const { dog, orders, path, exit } = await setup();
  dog.send({ type: 'job.kill' });
  expect(orders).toContain('kill killed');
  expect(path().at(-1)).toBe('recording (job.begin)');
  await exit({});
  expect(path().at(-1)).toBe('cancelled (job.kill)');
});

test('a stop before anything was recorded cancels the job', async () => {
  const { dog, exit, path, world } = await setup();
  world.segments = 0;
  dog.send({ type: 'job.stop' });
  await exit({ kind: 'stopped', why: 'stopped' });
  expect(path().at(-1)).toBe('cancelled (stopped)');
});

test('a new life adopts a live recorder without a move', async () => {
  const { path, orders, decisions } = await (async () => {
    const bundle = setupPorts('recording');
    bundle.world.live = true;
    const dog = createActor(bigDog(bundle.ports), {
      input: { jobId: 'rex' },
      clock: bundle.clock as never,
    }).start();
    await bundle.settle();
    return { ...bundle, dog, path: () => bundle.moves };
  })();
  expect(path()).toEqual([]);
  expect(orders).toEqual(['clear', 'take']);
  expect(decisions).toMatchObject([{ decision: 'recorder.adopt' }]);
});

test('a muxer that fails is tried again, and given up when it says that it is no use', async () => {
  const { world, exit, pass, path, decisions } = await setup();
  world.muxErrors.push(
    new Error('pipe broke'),
    Object.assign(new Error('unverified'), { retryable: false }),
  );
  await exit({ kind: 'ended', why: 'endlist', retryable: false });
  expect(decisions.at(-1)).toMatchObject({
    decision: 'mux.retry',
    evidence: { error: 'pipe broke' },
  });
  await pass(1_000);
  expect(path().at(-1)).toBe('failed (mux.failed)');
});
