import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type AccessStore, accessStore, type StoredKey } from '../../src/db/accessStore.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { keptAccessKeys } from '../../src/jobs/keptAccessKeys.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const NOW = 1_750_000_000_000;

const key = (id: string, other: Partial<StoredKey> = {}): StoredKey => ({
  id,
  tenantId: 'default',
  name: `key ${id}`,
  scopes: ['jobs.read', 'jobs.kill'],
  secretHash: 'ab'.repeat(32),
  createdAt: NOW,
  ...other,
});

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`keys and tenants on ${under.kind}`, () => {
    let database: Database;
    let store: AccessStore;

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
      store = accessStore(database);
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    test('of services that start at once over no keys, one makes the first key', async () => {
      const racers = Array.from({ length: 8 }, () =>
        keptAccessKeys({ records: store, clock: systemClock, log: () => undefined }),
      );
      const texts = await Promise.all(racers.map((keys) => keys.createFirst('default')));
      const told = texts.filter((text) => text !== undefined);
      expect(told).toHaveLength(1);
      expect(await racers[3]?.whose(told[0] ?? '')).toMatchObject({ keyId: 'first' });
      await store.revokeKey('first', NOW);
      expect(await racers[0]?.createFirst('default')).toBeUndefined();
    });

    test('a key is read as it was written, and listed without what its secret is known by', async () => {
      const written = key('read', { expiresAt: NOW + 1, name: 'naïve 🗝' });
      await store.addKey(written);
      expect(await store.key('read')).toEqual(written);
      const { secretHash, ...shown } = written;
      expect(await store.keys('default')).toContainEqual(shown);
      expect(await store.keys('nobody')).toEqual([]);
      expect(await store.key('absent')).toBeUndefined();
    });

    test('a key of a tenant that is not there is refused', async () => {
      await expect(store.addKey(key('lost', { tenantId: 'nobody' }))).rejects.toMatchObject({
        code: 'tenant.notFound',
      });
    });

    test('revoking moves to be earlier and never later', async () => {
      await store.addKey(key('gone'));
      expect(await store.revokeKey('gone', NOW + 100)).toMatchObject({ revokedAt: NOW + 100 });
      expect(await store.revokeKey('gone', NOW + 200)).toMatchObject({ revokedAt: NOW + 100 });
      expect(await store.revokeKey('gone', NOW + 50)).toMatchObject({ revokedAt: NOW + 50 });
      expect(await store.revokeKey('absent', NOW)).toBeUndefined();
    });

    test('a key is replaced whole, and once it is revoked not at all', async () => {
      await store.addKey(key('old'));
      const its = { now: NOW + 10, revokedAt: NOW + 60 };
      expect(await store.replaceKey('old', key('new'), its)).toBe(true);
      expect(await store.key('old')).toMatchObject({ revokedAt: NOW + 60 });
      expect(await store.replaceKey('old', key('late'), { ...its, now: NOW + 60 })).toBe(false);
      expect(await store.replaceKey('absent', key('late'), its)).toBe(false);
      expect(await store.key('late')).toBeUndefined();
      await expect(store.replaceKey('new', key('old'), its)).rejects.toThrow();
      expect((await store.key('new'))?.revokedAt).toBeUndefined();
    });

    test('a use is kept', async () => {
      await store.addKey(key('used'));
      await store.usedKey('used', NOW + 60_000);
      expect(await store.key('used')).toMatchObject({ lastUsedAt: NOW + 60_000 });
    });

    test('a tenant is changed, limits are taken away again, and its age stays', async () => {
      const tenant = { id: 'acme', name: 'Acme', weight: 2.5, createdAt: NOW };
      expect(await store.putTenant({ ...tenant, runningMax: 3, waitingMax: 0 })).toEqual({
        ...tenant,
        runningMax: 3,
        waitingMax: 0,
      });
      expect(await store.putTenant({ ...tenant, name: 'ACME', createdAt: NOW + 5 })).toEqual({
        ...tenant,
        name: 'ACME',
      });
      const ids = (await store.tenants()).map(({ id }) => id);
      expect(ids).toContain('default');
      expect(ids.filter((id) => id === 'acme')).toHaveLength(1);
    });
  });
}
