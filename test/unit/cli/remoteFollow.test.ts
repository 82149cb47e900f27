import { expect, test } from 'vitest';
import { Realtime } from '../../../src/api/realtime/realtime.ts';
import { newLines } from '../../../src/cli/commands/logs.ts';
import { kennelClient } from '../../../src/client/kennelClient.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { EventFeed, type ToldEvent } from '../../../src/jobs/events.ts';
import { memoryOperations } from '../../support/api/memoryOperations.ts';
import { OWN } from '../../support/api/memoryParts.ts';
import { servedApi } from '../../support/api/servedApi.ts';
import { remoteCli } from '../../support/cli/remoteCli.ts';
import { MemoryEventLog } from '../../support/realtime/memoryEventLog.ts';

const JOB = '00000000-0000-7000-8000-000000000001';
const AT = 1_750_000_000_000;

/** A service whose events the test tells, and a command line that listens. */
async function world() {
  const memory = memoryOperations();
  const { operations, plant } = memory;
  plant(JOB, OWN, { state: 'recording', waiting: false });
  const [eventLog, feed] = [new MemoryEventLog(), new EventFeed()];
  const realtime = new Realtime({
    ...{ operations, eventLog, feed, clock: systemClock, log: () => undefined },
    accessKeys: { list: async () => [] },
  });
  const served = await servedApi({ operations, realtime });
  const cli = await remoteCli({ KENNEL_SERVER: served.url, KENNEL_API_KEY: served.key });
  /** Resolves once somebody hears what is told. */
  const isHeard = async () => {
    while (realtime.streams.listeners === 0) await new Promise(setImmediate);
  };
  const tell = (event: Partial<ToldEvent> & Pick<ToldEvent, 'type'>) =>
    // What the caller leaves out is the same in all of them.
    feed.tell({ jobId: JOB, ...event } as ToldEvent, AT);
  const move = (from: string, to: string) =>
    eventLog.add({
      jobId: JOB,
      type: 'job.moved',
      data: { from, to, cause: 'source.ended', attempt: 1, evidence: {} },
    });
  return { ...served, ...memory, ...cli, eventLog, isHeard, tell, move };
}

const PROOF = { advertised: 10, stored: 9, duplicates: 0, durationMs: 60_000 };

test('a job is followed as record tells of its own, and the exit code is that of the job', async () => {
  const { run, isHeard, tell, move } = await world();
  const followed = run(['watch', JOB]);
  await isHeard();
  tell({ type: 'recording.started', source: { kind: 'hls' } });
  move('recording', 'muxing');
  tell({
    type: 'job.ended',
    state: 'done',
    outcome: 'gaps',
    exitCode: 3,
    files: ['/out/show.mp4'],
    proof: PROOF,
  });
  const { exitCode, out, err } = await followed;
  expect(exitCode).toBe(3);
  expect(err.join('\n')).toContain('the stream is live: kind hls');
  expect(out).toEqual([
    'gaps: advertised 10 = stored 9 + lost 1, duplicates 0, media 00:01:00',
    '/out/show.mp4',
  ]);
});

test('the end of a job that was told while nobody listened is looked up', async () => {
  const { run, plant } = await world();
  plant(JOB, OWN, { state: 'rejected', waiting: false, cause: 'capacity.exceeded' });
  const { exitCode, out } = await run(['watch', JOB]);
  expect(exitCode).toBe(75);
  expect(out.join()).toContain('rejected (capacity.exceeded)');
});

test('a job that is submitted can be followed at once', async () => {
  const { run, isHeard, jobs, eventLog } = await world();
  const followed = run(['submit', 'https://example.org/other.m3u8', '--follow', '--json']);
  await isHeard();
  const [id = ''] = [...jobs.keys()].filter((one) => one !== JOB);
  const job = jobs.get(id);
  if (job) jobs.set(id, { ...job, state: 'cancelled', waiting: false });
  eventLog.add({
    jobId: id,
    type: 'job.moved',
    data: { from: 'pending', to: 'cancelled', cause: 'operator.kill', attempt: 0, evidence: {} },
  });
  const { exitCode, out } = await followed;
  expect(exitCode).toBe(130);
  expect(out.map((line) => JSON.parse(line).type)).toEqual(['job.moved', 'job.ended']);
});

test('everything is watched until a signal, from a place on, and only what was asked for', async () => {
  const { run, eventLog, move } = await world();
  const place = move('pending', 'recording');
  move('recording', 'retrying');
  eventLog.add({ type: 'disk.outlook', data: { level: 'low', freeBytes: 1, bytesPerSecond: 1 } });
  eventLog.add({ jobId: JOB, type: 'job.decided', data: {} });
  const lines: string[] = [];
  const watched = run(['watch', '--type', 'job.*', '--after', place, '--json'], {
    terminal: {
      out: (line) => {
        lines.push(line);
        if (lines.length === 2) process.emit('SIGINT', 'SIGINT');
      },
      err: () => undefined,
      style: (_, text) => text,
      status: () => undefined,
      isLive: false,
      isOutLive: false,
    },
  });
  expect((await watched).exitCode).toBe(0);
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['job.moved', 'job.decided']);
});

test('jobs are watched and killed over one connection of control', async () => {
  const { url, key, move, jobs, isHeard } = await world();
  const control = await kennelClient({ url, key }).control();
  expect(await control.status(JOB)).toMatchObject([{ id: JOB, state: 'recording' }]);
  const heard = Promise.withResolvers<string>();
  const end = await control.subscribe({ jobId: JOB }, ({ type }) => heard.resolve(type));
  await isHeard();
  move('recording', 'muxing');
  expect(await heard.promise).toBe('job.moved');
  await end();
  expect(await control.kill(JOB)).toMatchObject({ id: JOB, state: 'cancelled' });
  expect(jobs.get(JOB)?.state).toBe('cancelled');
  await expect(control.stop(JOB)).rejects.toMatchObject({ code: 'job.conflict' });
  control.close();
  expect(await control.closed).toMatch(/closed/);
  const refused = kennelClient({ url, key: 'kn_x_y' }).control();
  await expect(refused).rejects.toMatchObject({ code: 'access.denied' });
});

test('of a log that is read again, only what is new is told', () => {
  const [a, b, c] = [{ msg: 'a' }, { msg: 'b' }, { msg: 'c' }];
  expect(newLines([a, b], [a, b, c])).toEqual([c]);
  expect(newLines([a, b], [b, c])).toEqual([c]);
  expect(newLines([a], [b, c])).toEqual([b, c]);
  expect(newLines([], [a])).toEqual([a]);
});
