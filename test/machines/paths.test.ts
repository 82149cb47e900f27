import { expect, test } from 'vitest';
import { getShortestPaths } from 'xstate/graph';
import { bigDogChart } from '../../machines/bigDog.ts';
import type { RecorderExit } from '../../machines/ports.ts';
import { JOB_STATES, type JobState } from '../../machines/vocabulary.ts';
import { setupPorts } from './ports.ts';

const { ports } = setupPorts();
const chart = bigDogChart(ports);

const exit = (more: Partial<RecorderExit>) => ({
  type: 'recorder.exited',
  exit: { kind: 'crashed', why: 'SIGKILL', retryable: true, evidence: {}, ...more },
});
const refusal = (to: 'rejected' | 'expired') => ({
  type: 'job.refuse',
  to,
  why: `queue.${to}`,
  evidence: {},
});

/** A dog that reads this in its row. */
async function wokenAs(state: JobState) {
  const { job, log } = await ports.store.open('rex', new AbortController().signal);
  const output = { job: { ...job, state }, log, woken: state, live: false };
  return { type: 'xstate.done.actor.wake', actorId: 'wake', output };
}

/** Everything that a dog can come to, each by the shortest way, when it is told these things in any order. */
async function pathsFrom(state: JobState) {
  const events = [
    await wokenAs(state),
    { type: 'job.stop' },
    { type: 'job.kill' },
    { type: 'job.abandon' },
    { type: 'job.extend', durationMs: 5_000 },
    refusal('rejected'),
    refusal('expired'),
    exit({}),
    exit({ kind: 'ended', why: 'endlist', retryable: false }),
    { type: 'xstate.done.actor.survey', actorId: 'survey', output: { segments: 1 } },
    { type: 'xstate.done.actor.mux', actorId: 'mux' },
    { type: 'xstate.done.actor.upload', actorId: 'upload', output: { outcome: 'complete' } },
  ];
  return getShortestPaths(chart, {
    input: { jobId: 'rex' },
    // They are the events of its actors, too, which its type does not name.
    events: events as never,
    serializeState: ({ value, context: { farewell, refusal, job } }) =>
      JSON.stringify([value, farewell, refusal?.to, job.verdict, job.spec.durationMs]),
    // Nobody is left to hear anything then.
    stopWhen: ({ status }) => status === 'done',
    limit: 20_000,
  });
}

type Path = Awaited<ReturnType<typeof pathsFrom>>[number];

const topOf = ({ state: { value } }: Path): string =>
  typeof value === 'string' ? value : (Object.keys(value)[0] ?? '');
const told = ({ steps }: Path): string[] => steps.map(({ event }) => String(event.type));

test('a job that begins as pending can come to every state', async () => {
  const reached = new Set((await pathsFrom('pending')).map(topOf));
  // It is left by itself.
  for (const state of JOB_STATES.filter((state) => state !== 'pending'))
    expect(reached, state).toContain(state);
});

test('a refusal ends a job only when it comes before the job begins, and then nothing records', async () => {
  for (const path of await pathsFrom('pending')) {
    const top = topOf(path);
    const events = told(path);
    const woken = events.indexOf('xstate.done.actor.wake');
    const isRefusedFirst = events.slice(0, woken).includes('job.refuse');
    if (top === 'rejected' || top === 'expired') expect(isRefusedFirst, top).toBe(true);
    if (isRefusedFirst && woken >= 0)
      expect(['rejected', 'expired', 'cancelled', 'failed'], events.join()).toContain(top);
  }
});

test.each(['recording', 'retrying', 'muxing', 'uploading'] as const)(
  'a refusal of a job that is %s is void',
  async (state) => {
    const reached = new Set((await pathsFrom(state)).map(topOf));
    expect(reached).not.toContain('rejected');
    expect(reached).not.toContain('expired');
    expect(reached).toContain('cancelled');
  },
);

test.each(['rejected', 'expired', 'cancelled', 'failed', 'done'] as const)(
  'a job that is %s stays so, whatever its dog is told',
  async (state) => {
    const paths = await pathsFrom(state);
    const ends = paths.filter(({ state: { status } }) => status === 'done');
    expect(new Set(ends.map(topOf))).toEqual(new Set([state]));
  },
);
