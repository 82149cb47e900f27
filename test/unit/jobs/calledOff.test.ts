import { expect, test } from 'vitest';
import { systemClock as clock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { type CallOffParts, calledOff } from '../../../src/jobs/calledOff.ts';
import type { JobRecord } from '../../../src/jobs/jobRecords.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';

const away = () => new KennelError('database.unavailable', 'it is away', { retryable: true });
const spec = jobSpec({ url: 'http://origin/live.m3u8', output: '/tmp/show.mp4' });

const setup = (more: Partial<CallOffParts> = {}) => {
  const did: string[] = [];
  const note = (what: string) => (id: string) => void did.push(`${what} ${id}`);
  const job = (id: string): JobRecord => ({
    ...{ id, spec, state: 'pending', attempt: 0, createdAt: 0, updatedAt: 0 },
  });
  const parts: CallOffParts = {
    node: {
      status: () => undefined,
      stop: note('stop'),
      kill: note('kill'),
      cancel: async ({ id }) => note('cancel')(id),
    },
    records: { get: async (id) => job(id) },
    queue: { takeOut: async () => true },
    keeper: { doubt: note('doubt') },
    clock,
    ...more,
  };
  return { parts, did };
};

test('a job in the tree is told, one in the queue is taken out and ended', async () => {
  const { parts, did } = setup();
  await calledOff(parts, 'one', 'job.kill');
  const inTree = { ...parts, node: { ...parts.node, status: () => ({}) } };
  await calledOff(inTree, 'two', 'job.kill');
  await calledOff(inTree, 'three', 'job.stop');
  expect(did).toEqual(['cancel one', 'kill two', 'stop three']);
});

test.each([
  ['is asked to let go of it', { queue: { takeOut: () => Promise.reject(away()) } }],
  ['has let go of it', { records: { get: () => Promise.reject(away()) } }],
])('a job goes back to the queue when the database goes away as the queue %s', async (_, more) => {
  const { parts, did } = setup(more);
  const calling = calledOff(parts, 'one', 'job.kill');
  await expect(calling).rejects.toMatchObject({ code: 'database.unavailable' });
  expect(did).toEqual(['doubt one']);
});
