import { expect, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { askOnce, isOutage } from '../../../src/db/outage.ts';
import { type Persistence, persist } from '../../../src/db/persist.ts';

const lost = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const refused = (code: string) => Object.assign(new Error(`says ${code}`), { code });
/** As Drizzle throws it: the statement with its parameters, and the driver's error within. */
const wrapped = (cause: Error) =>
  Object.assign(new Error('Failed query: insert … params: secret', { cause }), { params: [] });

const setup = () => {
  const delays: number[] = [];
  const log: string[] = [];
  // Pauses end at once; the deadline of a try ends only when the test says so.
  let deadline: (() => void) | undefined;
  const clock: Clock = {
    now: () => 0,
    elapsed: () => 0,
    setTimeout: (callback, delayMs) => {
      if (delayMs > 10_000) {
        deadline = callback;
        return 'deadline';
      }
      delays.push(delayMs);
      queueMicrotask(callback);
      return 'pause';
    },
    clearTimeout: () => undefined,
  };
  const how: Persistence = {
    clock,
    random: () => 1,
    log: (_level, message) => log.push(message),
  };
  return { how, delays, log, expire: () => deadline?.() };
};

const live = new AbortController().signal;

test('an outage is waited out, with pauses that grow to two seconds', async () => {
  const { how, delays, log } = setup();
  let tries = 0;
  const answer = await persist(
    async () => {
      if (++tries < 12) throw wrapped(lost());
      return 'written';
    },
    live,
    how,
  );
  expect(answer).toBe('written');
  expect(delays.slice(0, 3)).toEqual([50, 100, 200]);
  expect(Math.max(...delays)).toBe(2_000);
  expect(log).toEqual(['The database does not answer, trying again', 'The database answers again']);
});

test('a bug is not tried again, and its error shows no parameters', async () => {
  const { how, delays } = setup();
  const ask = () => Promise.reject(wrapped(refused('23503')));
  await expect(persist(ask, live, how)).rejects.toThrow('says 23503');
  expect(delays).toEqual([]);
});

test('nobody who has gone away is answered', async () => {
  const { how } = setup();
  const gone = new AbortController();
  const ask = async () => {
    gone.abort();
    throw lost();
  };
  await expect(persist(ask, gone.signal, how)).rejects.toMatchObject({
    code: 'database.unavailable',
  });
});

test('a connection that went silent is given up for a new try', async () => {
  const { how, expire } = setup();
  let tries = 0;
  const silent = new Promise<string>(() => undefined);
  const answer = persist(() => (++tries === 1 ? silent : Promise.resolve('late')), live, how);
  expire();
  await expect(answer).resolves.toBe('late');
});

test('asking once tells an outage from a bug', async () => {
  await expect(askOnce(() => Promise.reject(wrapped(lost())))).rejects.toMatchObject({
    code: 'database.unavailable',
    retryable: true,
  });
  await expect(askOnce(() => Promise.reject(refused('22P02')))).rejects.toThrow('says 22P02');
});

test.each(['08006', '57P01', '53300', '40001', '25006', '28P01', 'CONNECT_TIMEOUT', 'ENOTFOUND'])(
  '%s passes by itself',
  (code) => expect(isOutage(wrapped(refused(code)))).toBe(true),
);

test.each(['23503', '23505', '42P01', '22P02', '42501', 'XX000', 'ERR_INVALID_ARG_TYPE'])(
  '%s does not pass',
  (code) => expect(isOutage(refused(code))).toBe(false),
);

test('a database thread that stopped passes, one that is locked out does not', () => {
  const stopped = new KennelError('database.unavailable', 'stopped', { retryable: true });
  expect(isOutage(wrapped(stopped))).toBe(true);
  expect(isOutage(wrapped(new KennelError('data.locked', 'locked')))).toBe(false);
});
