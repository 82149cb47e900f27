import { expect, test } from 'vitest';
import { reconcile } from '../../support/origin/reconcile.ts';
import { setup as setupOrigin } from './setup.ts';

/** Ten segments advertised: 0–5 in epoch 0, then a reset, and 6–9 in epoch 1 from number 0 on. */
async function setup() {
  const bundle = await setupOrigin({ renumberings: [{ kind: 'reset', at: 6, to: 0 }] });
  await bundle.playlist();
  bundle.advance(4_000);
  await bundle.playlist();
  const stream = bundle.origin.stream('live');
  const stored = (...indexes: number[]) =>
    indexes.map((index) => ({ ...stream.labelOf(index), checksum: stream.checksumOf(index) }));
  return { ...bundle, stream, stored };
}

const nothing = {
  stored: [],
  lost: [],
  unaccounted: [],
  inferred: [],
  twice: [],
  wrong: [],
  invented: [],
};

test('a ledger that stores or names everything leaves nothing unaccounted', async () => {
  const { stream, stored } = await setup();
  const lost = [{ epoch: 1, msn: 1, count: 2 }];
  expect(reconcile(stream, { stored: stored(0, 1, 2, 3, 4, 5, 6, 9), lost })).toEqual({
    ...nothing,
    stored: [0, 1, 2, 3, 4, 5, 6, 9],
    lost: [7, 8],
  });
});

test('silence about an advertised segment is told', async () => {
  const { stream, stored } = await setup();
  const claims = { stored: stored(0, 1, 2, 3, 4, 5, 6, 7), lost: [] };
  expect(reconcile(stream, claims).unaccounted).toEqual([8, 9]);
});

test('other bytes, double claims and impossible labels are told', async () => {
  const { stream, stored } = await setup();
  const claims = {
    stored: [...stored(0, 1, 2, 4, 5, 6, 7, 8, 9), { ...stream.labelOf(3), checksum: 'other' }],
    lost: [
      { epoch: 0, msn: 2, count: 1 },
      { epoch: 0, msn: 6, count: 1 },
      { epoch: 1, msn: 4, count: 1 },
    ],
  };
  expect(reconcile(stream, claims)).toMatchObject({
    wrong: [3],
    twice: [2],
    invented: [{ epoch: 0, msn: 6 }],
    inferred: [10],
    unaccounted: [],
  });
});
