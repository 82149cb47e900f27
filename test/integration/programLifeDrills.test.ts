import { expect, it } from 'vitest';
import { type Life, live } from './programLifeSetup.ts';

/** Big Dog gives a recorder so long to finish (`Policy.graceMs`), milliseconds. */
const GRACE_MS = 7_000;
/** Whatever was killed has to be gone, and told, within this time, so that its Big Dog can begin anew, milliseconds. */
const RECOVERY_MS = 3_000;

async function timed<T>(work: Promise<T>): Promise<{ readonly value: T; readonly tookMs: number }> {
  const since = performance.now();
  const value = await work;
  return { value, tookMs: performance.now() - since };
}

/** The processes of a life, the one that was started first. */
async function processes({ living }: Life, count: number): Promise<number[]> {
  await expect.poll(async () => (await living()).length, { timeout: 20_000 }).toBe(count);
  return (await living()).toSorted((one, other) => one - other);
}

it('reports a program that was killed by kill -9, with all that it had put out', async () => {
  const life = await live({ behaviours: ['live'] });
  await life.hasMedia();
  const [program = Number.NaN] = await processes(life, 1);
  process.kill(program, 'SIGKILL');
  const { value: exit, tookMs } = await timed(life.exited());
  expect(exit).toMatchObject({ kind: 'crashed', why: 'signal.SIGKILL', retryable: true });
  expect(life.output.bytes).toBe(exit.evidence['bytes']);
  expect(tookMs).toBeLessThan(RECOVERY_MS);
});

it('ends the child that goes on recording when its program was killed', async () => {
  const life = await live({ behaviours: ['orphan'] });
  await life.hasMedia();
  const [program = Number.NaN] = await processes(life, 2);
  process.kill(program, 'SIGKILL');
  const { value: exit, tookMs } = await timed(life.exited());
  expect(exit).toMatchObject({ kind: 'crashed', why: 'signal.SIGKILL' });
  expect(tookMs).toBeLessThan(RECOVERY_MS);
});

it('ends the child that left its group and session with the pipe in its hand', async () => {
  const life = await live({ behaviours: ['detach'], spec: { patienceMs: 100 } });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'ended' });
  expect(life.output.bytes).toBeGreaterThan(0);
});

it('ends a program that ignores every signal but one within the grace of the job', async () => {
  const life = await live({ behaviours: ['deaf'] });
  await life.hasMedia();
  life.recorder.stop('over');
  const { value: exit, tookMs } = await timed(life.exited());
  expect(exit).toMatchObject({ kind: 'stopped', why: 'duration', evidence: { signal: 'SIGKILL' } });
  expect(exit.evidence['stderrTail']).toBe('ignores SIGINT\nignores SIGTERM\n');
  expect(life.output.bytes).toBe(exit.evidence['bytes']);
  expect(tookMs).toBeLessThan(GRACE_MS);
});

it('lets go at once when it is told to while a program is asked to stop', async () => {
  const life = await live({ behaviours: ['deaf'] });
  await life.hasMedia();
  life.recorder.stop('over');
  life.recorder.kill('hurry');
  const { value: exit, tookMs } = await timed(life.exited());
  expect(exit).toMatchObject({ kind: 'crashed', why: 'hurry' });
  expect(tookMs).toBeLessThan(1_500);
});

it('wakes a stopped program so that it can obey, and kills it without', async () => {
  const stopped = await live({ behaviours: ['live'] });
  await stopped.hasMedia();
  for (const pid of await stopped.living()) process.kill(pid, 'SIGSTOP');
  stopped.recorder.stop('operator');
  expect(await stopped.exited()).toMatchObject({ kind: 'stopped', evidence: { exitCode: 0 } });

  const killed = await live({ behaviours: ['live'] });
  await killed.hasMedia();
  for (const pid of await killed.living()) process.kill(pid, 'SIGSTOP');
  killed.recorder.kill('frozen');
  const { value: exit, tookMs } = await timed(killed.exited());
  expect(exit).toMatchObject({ kind: 'crashed', why: 'frozen' });
  expect(tookMs).toBeLessThan(RECOVERY_MS);
});

it('ends a program that closed its output and lives on', async () => {
  const life = await live({ behaviours: ['closes'] });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'tool.failed', retryable: true });
  expect(exit.evidence).toMatchObject({ closedEarly: true, signal: 'SIGKILL' });
  expect(life.output.bytes).toBeGreaterThan(100_000);
});

it('ends a program that floods its log', async () => {
  const life = await live({ behaviours: ['flood'], limits: { logBytesPerMinuteMax: 1_000_000 } });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'limit.exceeded', retryable: true });
  expect(exit.evidence).toMatchObject({ limit: 'logBytesPerMinuteMax', max: 1_000_000 });
  expect(String(exit.evidence['stderrTail']).length).toBeLessThanOrEqual(2_048);
});

it('ends a program that takes too much memory', async () => {
  const life = await live({ behaviours: ['grow'], limits: { memoryBytesMax: 400_000_000 } });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'limit.exceeded' });
  expect(exit.evidence).toMatchObject({ limit: 'memoryBytesMax' });
  expect(exit.evidence['rssBytesPeak']).toBeGreaterThan(400_000_000);
});

it('ends a program that starts more and more processes, and all of them', async () => {
  const life = await live({ behaviours: ['fork'], limits: { processesMax: 64 } });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'limit.exceeded', retryable: true });
  expect(exit.evidence).toMatchObject({ limit: 'processesMax', max: 64 });
});

it('ends a program that writes files', async () => {
  const life = await live({ behaviours: ['files'], limits: { fileBytesMax: 1_000_000 } });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'limit.exceeded' });
  expect(exit.evidence).toMatchObject({ limit: 'fileBytesMax' });
});

it('ends a program whose output is no media', async () => {
  const life = await live({ behaviours: ['html'] });
  const exit = await life.exited();
  expect(exit).toMatchObject({ kind: 'crashed', why: 'segment.invalid', retryable: true });
  expect(exit.evidence).toMatchObject({ explanation: 'it is a page of HTML' });
});

it('leaves no file of a program behind', async () => {
  const life = await live({ behaviours: ['litter'], spec: { patienceMs: 100 } });
  expect(await life.exited()).toMatchObject({ kind: 'ended' });
});

it('lets go of a program whose media cannot be stored for the moment', async () => {
  const life = await live({
    behaviours: ['live'],
    output: (media) => {
      media.hold = new Promise(() => undefined);
    },
  });
  await expect.poll(() => life.recorder.progress().bytes, { timeout: 20_000 }).toBeGreaterThan(0);
  life.recorder.kill('silent');
  const { value: exit, tookMs } = await timed(life.exited());
  expect(exit).toMatchObject({ kind: 'crashed', why: 'silent' });
  expect(tookMs).toBeLessThan(RECOVERY_MS);
});
