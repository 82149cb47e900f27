import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { BigDogDogEvent } from '../../../machines/bigDogDog.ts';
import type { Move } from '../../../machines/ports.ts';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { EventFeed, type KennelEvent } from '../../../src/jobs/events.ts';
import type { JobRecord } from '../../../src/jobs/jobRecords.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import { KennelNode, type NodeParts } from '../../../src/jobs/node.ts';
import { NO_PROGRESS } from '../../../src/process/recorderDriver.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const away = () => new KennelError('database.unavailable', 'it is away', { retryable: true });
const spec = jobSpec({ url: 'http://origin/live.m3u8', output: '/tmp/show.mp4' });
const clock: Clock = { now: () => 1_000, elapsed: () => 0, setTimeout: () => 0, clearTimeout() {} };

/** A node whose tree only notes what it is told. */
const setup = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-node-'));
  directories.push(directory);
  const rows = new Map<string, JobRecord>();
  const told: BigDogDogEvent[] = [];
  const database = { isAway: false };
  const ask = <Answer>(answer: Answer): Promise<Answer> =>
    database.isAway ? Promise.reject(away()) : Promise.resolve(answer);
  const parts = {
    records: {
      create: async ({ id }: { id: string }) => {
        rows.set(id, { id, spec, state: 'pending', attempt: 0, createdAt: 0, updatedAt: 0 });
      },
      get: (id: string) => ask(rows.get(id)),
      respec: async (id: string, renewed: JobSpec) => {
        const row = rows.get(id);
        if (row) rows.set(id, { ...row, spec: renewed });
      },
      findUnfinished: () => ask([...rows.values()]),
    },
    index: { position: () => ask(0), apply: () => ask(0) },
    leash: { progress: () => NO_PROGRESS },
    feed: new EventFeed(),
    clock,
    log: () => undefined,
    directoryOf: () => directory,
    assertWritable: async () => undefined,
    proofOf: async () => ({}),
    filesOf: async () => [],
    exitCodeOf: () => 0,
    // Only what this node asks of its parts: the rest of a database or a leash has no say here.
  } as unknown as NodeParts;
  const node = new KennelNode(parts);
  await node.raise({
    start: async () => undefined,
    send: (event) => void told.push(event),
    drain: async () => undefined,
    watch: () => [],
    stop: () => undefined,
  });
  return { node, rows, told, database, parts };
};

const move = (to: Move['to']): Move => ({
  from: 'uploading',
  to,
  cause: 'upload.done',
  evidence: {},
  attempt: 1,
  outcome: 'complete',
});

test('a job ends although the database goes away right after its last move was committed', async () => {
  const { node, database } = await setup();
  const { jobId } = await node.submit(spec);
  database.isAway = true;
  node.moved(jobId, move('done'), 2_000);
  await expect(node.ended(jobId)).resolves.toMatchObject({ state: 'done', outcome: 'complete' });
});

test('a node that is killed right after a job has begun takes it up again, although nothing was recorded yet', async () => {
  const { node, rows, parts } = await setup();
  const root = parts.directoryOf('');
  Object.assign(parts, { directoryOf: (id: string) => join(root, 'recordings', id) });
  const { jobId } = await node.submit(spec);
  const row = rows.get(jobId);
  if (row) rows.set(jobId, { ...row, state: 'recording' });
  const next = new KennelNode(parts);
  await expect(next.resumeAll()).resolves.toEqual([jobId]);
});

test('what a dead host left of the programs of a job goes with the job, and its media stays', async () => {
  const { node, parts } = await setup();
  const { jobId } = await node.submit(spec);
  const directory = parts.directoryOf(jobId);
  for (const place of ['work/1-1', 'media']) {
    mkdirSync(join(directory, place), { recursive: true });
    writeFileSync(join(directory, place, 'file'), 'content');
  }
  node.moved(jobId, move('cancelled'), 2_000);
  await node.ended(jobId);
  expect(readdirSync(directory)).toEqual(['media']);
});

test('whoever waits for a job hears it when the finished job cannot be looked at', async () => {
  const { node, parts } = await setup();
  Object.assign(parts, { proofOf: () => Promise.reject(new Error('the journal is corrupt')) });
  const { jobId } = await node.submit(spec);
  const ended = node.ended(jobId);
  node.moved(jobId, move('done'), 2_000);
  await expect(ended).rejects.toThrow('the journal is corrupt');
});

test('whoever waits for a job hears it when another Kennel takes it over', async () => {
  const { node } = await setup();
  const { jobId } = await node.submit(spec);
  const ended = node.ended(jobId);
  node.released({ type: 'job.released', jobId, why: 'fenced' });
  await expect(ended).rejects.toMatchObject({ code: 'database.fenced' });
  expect(node.jobIds()).toEqual([]);
});

test('a job that had ended elsewhere before it was taken ends here too, with what the database says', async () => {
  const { node, rows } = await setup();
  const { jobId } = await node.submit(spec);
  const ended = node.ended(jobId);
  const row = rows.get(jobId);
  if (row) rows.set(jobId, { ...row, state: 'done', outcome: 'gaps' });
  node.released({ type: 'job.released', jobId, why: 'ended' });
  await expect(ended).resolves.toMatchObject({ state: 'done', outcome: 'gaps' });
});

test('the same command with another way to the stream goes on with the job that way, and says what is new', async () => {
  const { node, rows, parts } = await setup();
  const { jobId } = await node.submit(spec);
  const again = new KennelNode(parts);
  const events: KennelEvent[] = [];
  parts.feed.subscribe((event) => events.push(event));
  const renewed = {
    ...spec,
    proxy: 'http://user:hush@proxy/',
    fallbacks: ['http://b/?token=hush'],
  };
  expect(await again.submit(renewed)).toEqual({ jobId, resumed: true });
  expect(rows.get(jobId)?.spec).toEqual(renewed);
  await Promise.resolve();
  expect(events).toMatchObject([{ type: 'job.accepted', changed: ['fallbacks', 'proxy'] }]);
  expect(JSON.stringify(events)).not.toContain('hush');
});

test('a node that was told to end takes no job, and leaves no row behind for one', async () => {
  const { node, rows, told } = await setup();
  await node.drain();
  await expect(node.submit(spec)).rejects.toMatchObject({ code: 'job.conflict' });
  expect([rows.size, told]).toEqual([0, []]);
});

test('a job that the tree refuses on the spot is refused to whoever submits it', async () => {
  const { node } = await setup();
  await node.raise({
    send: (event) => {
      if (event.type === 'job.add')
        node.released({ type: 'job.released', jobId: event.jobId, why: 'draining' });
    },
    start: async () => undefined,
    drain: async () => undefined,
    watch: () => [],
    stop: () => undefined,
  });
  await expect(node.submit(spec)).rejects.toMatchObject({ code: 'job.conflict' });
});

test('a job whose file could not be brought to its place is refused before anything is recorded', async () => {
  const { node, parts, rows, told } = await setup();
  const refusal = new KennelError('destination.unwritable', 'read-only');
  Object.assign(parts, { assertWritable: () => Promise.reject(refusal) });
  await expect(node.submit(spec)).rejects.toBe(refusal);
  expect([rows.size, told]).toEqual([0, []]);
});

test('an unfinished job whose segments lie on another machine is left to that one', async () => {
  const { node, rows, parts } = await setup();
  rows.set('theirs', {
    id: 'theirs',
    spec,
    state: 'recording',
    attempt: 1,
    createdAt: 0,
    updatedAt: 0,
  });
  const { directoryOf } = parts;
  Object.assign(parts, {
    directoryOf: (id: string) => (id === 'theirs' ? '/nowhere/theirs' : directoryOf(id)),
  });
  expect(await node.submit(spec)).toMatchObject({ resumed: false });
});

test('the same stream by another way is the same recording, other renditions of it are not', async () => {
  const { node } = await setup();
  const { jobId } = await node.submit(spec);
  const another = { ...spec, fallbacks: ['http://backup/live.m3u8'], proxy: 'http://proxy:3128' };
  expect(await node.submit(another)).toEqual({ jobId, resumed: true });
  expect(await node.submit({ ...spec, audio: ['default'] })).toMatchObject({ resumed: true });
  expect(await node.submit({ ...spec, audio: ['all'] })).toMatchObject({ resumed: false });
});

const waiting = (id: string, more: Partial<JobRecord> = {}): JobRecord => ({
  ...{ id, spec, state: 'pending', attempt: 0, createdAt: 0, updatedAt: 0 },
  ...more,
});
const refusal = { to: 'rejected', why: 'capacity.exceeded', evidence: { cpu: 0.97 } } as const;
const refused: Move = { ...move('rejected'), from: 'pending', cause: 'capacity.exceeded' };

test('a job that is refused is given to the tree with its reason, and resolves once that is committed', async () => {
  const { node, told, parts } = await setup();
  const events: KennelEvent[] = [];
  parts.feed.subscribe((event) => events.push(event));
  const done = node.refuse(waiting('late'), refusal);
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(told).toEqual([
    { type: 'job.add', jobId: 'late', order: { type: 'job.refuse', ...refusal } },
  ]);
  node.moved('late', refused, 2_000);
  await expect(done).resolves.toMatchObject({ state: 'rejected', cause: 'capacity.exceeded' });
  expect(events.map(({ type }) => type)).toEqual(['job.moved', 'job.ended']);
});

test('a job that begins before its refusal is heard goes on, and whoever refused it is told', async () => {
  const { node } = await setup();
  await node.begin(waiting('early'));
  const done = node.refuse(waiting('early'), refusal);
  node.moved('early', { ...move('recording'), from: 'pending' }, 2_000);
  await expect(done).rejects.toMatchObject({ code: 'job.conflict' });
  expect(node.jobIds()).toEqual(['early']);
});

test('a job that is past pending cannot be refused, and is not taken for it', async () => {
  const { node, told } = await setup();
  const job = waiting('busy', { state: 'recording' });
  await expect(node.refuse(job, refusal)).rejects.toMatchObject({ code: 'job.conflict' });
  expect(told).toEqual([]);
});

test('a job that waits is killed by a dog that is born with the order', async () => {
  const { node, told } = await setup();
  const done = node.cancel(waiting('late'), 'job.kill');
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(told).toEqual([{ type: 'job.add', jobId: 'late', order: { type: 'job.kill' } }]);
  node.moved('late', { ...move('cancelled'), from: 'pending', cause: 'job.kill' }, 2_000);
  await expect(done).resolves.toMatchObject({ state: 'cancelled' });
});

test('a new root does not begin a job that is on its way with a refusal', async () => {
  const { node } = await setup();
  const done = node.refuse(waiting('late'), refusal);
  expect(node.jobIds()).toEqual([]);
  node.moved('late', refused, 2_000);
  await done;
});

test('a service takes up what is unfinished, leaves what waits, and puts back what has not begun', async () => {
  const { node, rows, told } = await setup();
  const jobs = [
    waiting('queued', { waiting: true }),
    waiting('taken out'),
    waiting('running', { state: 'retrying' }),
  ];
  for (const job of jobs) rows.set(job.id, job);
  const back: string[] = [];
  const taken = await node.resumeAll(async (jobId) => void back.push(jobId));
  expect([taken, back]).toEqual([['running'], ['taken out']]);
  expect(told).toEqual([{ type: 'job.add', jobId: 'running' }]);
});

test('a database that goes away while a service takes up its jobs ends the round, and the next one takes what was left', async () => {
  const { node, rows, told } = await setup();
  for (const id of ['first', 'second']) rows.set(id, waiting(id));
  rows.set('running', { ...waiting('running'), state: 'recording' });
  const back: string[] = [];
  const putBack = async (jobId: string) => {
    if (jobId === 'second' && !back.includes('away')) {
      back.push('away');
      throw away();
    }
    back.push(jobId);
    rows.set(jobId, waiting(jobId, { waiting: true }));
  };
  await expect(node.resumeAll(putBack)).rejects.toMatchObject({ code: 'database.unavailable' });
  expect(await node.resumeAll(putBack)).toEqual(['running']);
  expect(back).toEqual(['first', 'away', 'second']);
  expect(told).toEqual([{ type: 'job.add', jobId: 'running' }]);
});

test('a command does not begin what waits in the queue of a service', async () => {
  const { node, rows } = await setup();
  rows.set('queued', waiting('queued', { waiting: true }));
  expect(await node.submit(spec)).toMatchObject({ resumed: false });
  const queued = waiting('queued', { waiting: true });
  await expect(node.resume(queued)).rejects.toMatchObject({ code: 'job.conflict' });
});

test('another end reaches the tree in place of the one before', async () => {
  const { node, told } = await setup();
  await node.begin(waiting('long', { spec: { ...spec, durationMs: 1_000 } }));
  await node.extend('long', { endAt: 5_000 });
  expect(told.at(-1)).toEqual({ type: 'job.extend', jobId: 'long', endAt: 5_000 });
});

test('the watchdogs of a job tell its state, and when its Big Dog moved last', async () => {
  const { node } = await setup();
  const layer = { isRunning: true, misses: 0, recoveries: 0 };
  await node.raise({
    start: async () => undefined,
    send: () => undefined,
    drain: async () => undefined,
    watch: () => [
      {
        jobId: 'rex',
        attempt: 1,
        layers: [
          { layer: 'recorder', ...layer },
          { layer: 'bigDog', ...layer },
        ],
      },
    ],
    stop: () => undefined,
  });
  expect(node.watchdogs()).toEqual([]);
  await node.begin(waiting('rex'));
  node.moved('rex', { ...move('recording'), from: 'pending' }, 2_000);
  expect(node.watchdogs()).toEqual([
    {
      jobId: 'rex',
      state: 'recording',
      attempt: 1,
      layers: [
        { layer: 'recorder', ...layer },
        { layer: 'bigDog', ...layer, lastProgressAt: 2_000 },
      ],
    },
  ]);
});
