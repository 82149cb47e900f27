import { expect, test } from 'vitest';
import { KennelError } from '../../../src/core/errors.ts';
import type { AccessRecords, KeyRecord } from '../../../src/jobs/accessRecords.ts';
import { keptAccessKeys } from '../../../src/jobs/keptAccessKeys.ts';

const START = 1_750_000_000_000;

/** Keys over records in memory and a clock that is moved by hand. */
function setup() {
  const keys = new Map<string, KeyRecord>();
  const world = { now: START, isAway: false, reads: 0, uses: [] as number[] };
  const change = (id: string, its: Partial<KeyRecord>) => {
    const key = keys.get(id);
    if (!key) return undefined;
    keys.set(id, { ...key, ...its });
    return keys.get(id);
  };
  const records: AccessRecords = {
    addKey: async (key) => void keys.set(key.id, key),
    addFirstKey: async (key) => keys.size === 0 && keys.set(key.id, key).has(key.id),
    key: async (id) => {
      world.reads += 1;
      if (world.isAway) throw new KennelError('database.unavailable', 'away');
      return keys.get(id);
    },
    keys: async () => [...keys.values()],
    revokeKey: async (id, at) => change(id, { revokedAt: at }),
    replaceKey: async (id, key, { revokedAt }) => {
      keys.set(key.id, key);
      return change(id, { revokedAt }) !== undefined;
    },
    usedKey: async (id, at) => {
      world.uses.push(at);
      change(id, { lastUsedAt: at });
    },
    tenants: async () => [],
    putTenant: async (tenant) => tenant,
  };
  const clock = {
    now: () => world.now,
    elapsed: () => world.now - START,
    setTimeout: () => undefined,
    clearTimeout: () => undefined,
  };
  const made = keptAccessKeys({ records, clock, log: () => undefined });
  return { made, world, change, keys };
}

const READER = { tenantId: 'default', name: 'reader', scopes: ['jobs.read'] } as const;

test('a key says whose it is, and nothing that was stored can be used as a key', async () => {
  const { made, keys } = setup();
  const { key, text } = await made.create(READER);
  expect(text).toMatch(/^kn_[0-9a-f]{12}_[\w-]{43}$/);
  expect(await made.whose(text)).toEqual({
    tenantId: 'default',
    keyId: key.id,
    scopes: ['jobs.read'],
  });
  const secret = text.split('_').slice(2).join('_');
  expect(JSON.stringify([...keys.values(), key])).not.toContain(secret);
  expect(key).not.toHaveProperty('secretHash');
});

test('a text that differs in anything is nobody', async () => {
  const { made } = setup();
  const { text } = await made.create(READER);
  const wrong = [
    '',
    `${text}x`,
    text.slice(0, -1),
    text.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    text.replace('kn_', 'KN_'),
    `kn_nobody_${'A'.repeat(43)}`,
  ];
  for (const attempt of wrong) expect(await made.whose(attempt)).toBeUndefined();
});

test('an expired key is nobody, also while it is remembered', async () => {
  const { made, world } = setup();
  const { text } = await made.create({ ...READER, expiresAt: START + 1_000 });
  expect(await made.whose(text)).toBeDefined();
  world.now += 1_000;
  expect(await made.whose(text)).toBeUndefined();
});

test('a key that was revoked here is refused at once, and one revoked elsewhere within seconds', async () => {
  const { made, world, change } = setup();
  const [one, other] = [await made.create(READER), await made.create(READER)];
  expect(await made.whose(one.text)).toBeDefined();
  expect(await made.whose(other.text)).toBeDefined();
  await made.revoke(one.key.id);
  expect(await made.whose(one.text)).toBeUndefined();
  change(other.key.id, { revokedAt: START });
  world.now += 5_000;
  expect(await made.whose(other.text)).toBeUndefined();
});

test('a read that was under way while its key was revoked is not remembered', async () => {
  const { made, keys } = setup();
  const { key, text } = await made.create(READER);
  const early = made.whose(text);
  await made.revoke(key.id);
  await early;
  expect(keys.get(key.id)?.revokedAt).toBeDefined();
  expect(await made.whose(text)).toBeUndefined();
});

test('the database is asked once in a while, for unknown keys too', async () => {
  const { made, world } = setup();
  const { text } = await made.create(READER);
  for (let at = 0; at < 10; at += 1) {
    await made.whose(text);
    await made.whose(`kn_nobody_${'A'.repeat(43)}`);
  }
  expect(world.reads).toBe(2);
});

test('a key that was good goes on while the database is away, for a quarter of an hour', async () => {
  const { made, world } = setup();
  const { text } = await made.create(READER);
  await made.whose(text);
  world.isAway = true;
  world.now += 14 * 60_000;
  expect(await made.whose(text)).toBeDefined();
  world.now += 60_000;
  await expect(made.whose(text)).rejects.toMatchObject({ code: 'database.unavailable' });
});

test('its last use is kept to the minute', async () => {
  const { made, world } = setup();
  const { text } = await made.create(READER);
  for (let at = 0; at < 10; at += 1) {
    await made.whose(text);
    world.now += 12_000;
  }
  expect(world.uses.every((at) => at % 60_000 === 0)).toBe(true);
  expect(world.uses).toHaveLength(new Set(world.uses).size);
  expect(world.uses.length).toBeGreaterThanOrEqual(2);
});

test('a rotated key has the rights of the old one, which is good for as long as asked', async () => {
  const { made, world } = setup();
  const old = await made.create({ ...READER, expiresAt: START + 100_000 });
  world.now += 40_000;
  const { key, text } = await made.rotate(old.key.id, 5_000);
  expect(key).toMatchObject({ ...READER, expiresAt: START + 140_000 });
  expect(await made.whose(old.text)).toBeDefined();
  expect(await made.whose(text)).toBeDefined();
  world.now += 5_000;
  expect(await made.whose(old.text)).toBeUndefined();
  expect(await made.whose(text)).toBeDefined();
  await expect(made.rotate('absent', 0)).rejects.toMatchObject({ code: 'key.notFound' });
});

test('the first key is an admin of the tenant and is made once', async () => {
  const { made } = setup();
  const text = await made.createFirst('default');
  expect(await made.whose(text ?? '')).toMatchObject({ scopes: expect.arrayContaining(['admin']) });
  expect(await made.createFirst('default')).toBeUndefined();
});
