import { expect, test } from 'vitest';
import { KennelError, type KennelErrorCode } from '../../../src/core/errors.ts';
import { raceMirrors } from '../../../src/hls/segment/mirrorRace.ts';
import { movedClock } from './transportServer.ts';

const failure = (code: KennelErrorCode, message: string = code) => new KennelError(code, message);

/** A race whose tries end when the test says so. */
function setup(addresses: number) {
  const clock = movedClock();
  const outer = new AbortController();
  const began: number[] = [];
  const aborted: number[] = [];
  const discarded: number[] = [];
  const ends = new Map<number, { won(): void; failed(error: unknown): void }>();
  const race = raceMirrors<string>({
    clock,
    addresses,
    hedgeAfterMs: 1_000,
    signal: outer.signal,
    attempt: (address, signal) => {
      began.push(address);
      return new Promise((resolve, reject) => {
        ends.set(address, { won: () => resolve(`from ${address}`), failed: reject });
        signal.addEventListener('abort', () => {
          aborted.push(address);
          reject(signal.reason);
        });
      });
    },
    discard: async (address) => void discarded.push(address),
  });
  race.catch(() => undefined);
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const end = async (address: number, error?: unknown) => {
    if (error === undefined) ends.get(address)?.won();
    else ends.get(address)?.failed(error);
    await settled();
  };
  const move = async (byMs: number) => {
    await settled();
    clock.move(byMs);
    await settled();
  };
  return { race, outer, began, aborted, discarded, end, move, ends };
}

test('while the first address is fast, no other is asked', async () => {
  const { race, began, end, move } = setup(3);
  await move(999);
  expect(began).toEqual([0]);
  await end(0);
  expect(await race).toEqual({ address: 0, result: 'from 0' });
});

test('a slow address is not given up: the next is tried beside it, and the faster wins', async () => {
  const { race, began, aborted, end, move } = setup(3);
  await move(1_000);
  expect(began).toEqual([0, 1]);
  // Never more than two at once.
  await move(60_000);
  expect(began).toEqual([0, 1]);
  await end(0);
  expect(await race).toMatchObject({ address: 0 });
  expect(aborted).toContain(1);
});

test('when an address fails the next is tried at once', async () => {
  const { race, began, end } = setup(3);
  await end(0, failure('source.notFound'));
  expect(began).toEqual([0, 1]);
  await end(1, failure('segment.invalid'));
  expect(began).toEqual([0, 1, 2]);
  await end(2);
  expect(await race).toEqual({ address: 2, result: 'from 2' });
});

test('when one of two fails, a third is tried beside the other', async () => {
  const { race, began, end, move } = setup(3);
  await move(1_000);
  await end(1, failure('source.unavailable'));
  expect(began).toEqual([0, 1, 2]);
  await end(2);
  expect(await race).toMatchObject({ address: 2 });
});

test('when all fail, the first address says why', async () => {
  const { race, end } = setup(3);
  await end(0, failure('source.notFound', 'the origin answered 404'));
  await end(1, failure('source.unavailable'));
  await end(2, failure('timeout.exceeded'));
  await expect(race).rejects.toMatchObject({
    code: 'source.notFound',
    message: 'the origin answered 404; 2 other addresses failed too',
  });
});

test.each(['disk.full', 'disk.failed'] as const)(
  'no other address helps against %s',
  async (code) => {
    const { race, began, end } = setup(2);
    await end(0, failure(code));
    await expect(race).rejects.toMatchObject({ code });
    expect(began).toEqual([0]);
  },
);

test('a bug is not covered up by another address', async () => {
  const { race, began, end } = setup(2);
  await end(0, new TypeError('a bug'));
  await expect(race).rejects.toThrow('a bug');
  expect(began).toEqual([0]);
});

test('when the time is over, all tries end with its reason', async () => {
  const { race, outer, began, aborted, move } = setup(3);
  await move(1_000);
  const late = failure('timeout.exceeded');
  outer.abort(late);
  await expect(race).rejects.toBe(late);
  expect([began, aborted]).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test('a beaten address that finishes in the same moment is discarded', async () => {
  const { race, discarded, ends, move } = setup(2);
  await move(1_000);
  ends.get(1)?.won();
  ends.get(0)?.won();
  expect(await race).toMatchObject({ address: 1 });
  expect(discarded).toEqual([0]);
});
