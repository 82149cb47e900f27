import type { Principal } from '../core/access.ts';
import { SCOPES } from '../core/access.ts';
import type { Clock } from '../core/clock.ts';
import { isKennelError, KennelError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { AccessKeys, KeyView, TenantView } from './accessKeys.ts';
import type { AccessRecords, KeyRecord } from './accessRecords.ts';
import { isSameHash, newSecretKey, readKeyText, type SecretKey } from './keyText.ts';

/** A key that was revoked by another process is accepted for so long; one that this process revoked, not at all. */
const FRESH_MS = 5_000;
/** While the database is away nobody can revoke anything; keys that were good go on, so that a kill is heard. */
const STALE_MS = 15 * 60_000;
/** Keys that are remembered, known and unknown ones: a few MiB. Whoever tries more of them asks the database. */
const REMEMBERED_MAX = 10_000;
/** How exactly the last use is kept, milliseconds. */
const USE_GRAIN_MS = 60_000;
/** Its own id, so that of services that start at once only one makes it. */
const FIRST_KEY_ID = 'first';
/** What unknown keys are compared with. */
const NO_HASH = '0'.repeat(64);

interface Remembered {
  readonly record: KeyRecord | undefined;
  /** On the monotonic clock. */
  readonly readAt: number;
}

export interface KeptAccessKeysOptions {
  readonly records: AccessRecords;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keys and tenants that the database keeps. */
export class KeptAccessKeys implements AccessKeys {
  readonly #records: AccessRecords;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The one that was read longest ago comes first. */
  readonly #remembered = new Map<string, Remembered>();
  /** Grows when a key changes here: what was read before is not remembered. */
  #changes = 0;

  constructor({ records, clock, log }: KeptAccessKeysOptions) {
    this.#records = records;
    this.#clock = clock;
    this.#log = log;
  }

  async create(key: Parameters<AccessKeys['create']>[0]) {
    const secret = newSecretKey();
    const record = { ...key, ...stored(secret), createdAt: this.#clock.now() };
    await this.#records.addKey(record);
    return { key: keyView(record), text: secret.text };
  }

  /** The first key of a service that demands keys and has none: an admin's. Its text is told here, once; undefined later. */
  async createFirst(tenantId: string): Promise<string | undefined> {
    const secret = newSecretKey(FIRST_KEY_ID);
    const createdAt = this.#clock.now();
    const key = { ...stored(secret), tenantId, name: 'first key', scopes: SCOPES, createdAt };
    return (await this.#records.addFirstKey(key)) ? secret.text : undefined;
  }

  async list(tenantId?: string): Promise<readonly KeyView[]> {
    return await this.#records.keys(tenantId);
  }

  async revoke(id: string): Promise<KeyView> {
    const key = await this.#records.revokeKey(id, this.#clock.now());
    this.#forget(id);
    if (!key) throw notFound(id);
    return key;
  }

  async rotate(id: string, overlapMs: number) {
    const old = await this.#records.key(id);
    if (!old) throw notFound(id);
    const now = this.#clock.now();
    const secret = newSecretKey();
    const key: KeyRecord = {
      ...stored(secret),
      tenantId: old.tenantId,
      name: old.name,
      scopes: old.scopes,
      createdAt: now,
      // It lives as long as the old one was to live.
      ...(old.expiresAt !== undefined && { expiresAt: now + (old.expiresAt - old.createdAt) }),
    };
    const isReplaced = await this.#records.replaceKey(id, key, { now, revokedAt: now + overlapMs });
    this.#forget(id);
    if (!isReplaced) throw notFound(id);
    return { key: keyView(key), text: secret.text };
  }

  async whose(text: string): Promise<Principal | undefined> {
    const given = readKeyText(text);
    if (!given) return undefined;
    const key = await this.#read(given.id);
    const isRight = isSameHash(given.secretHash, key?.secretHash ?? NO_HASH);
    if (!key || !isRight || !isGood(key, this.#clock.now())) return undefined;
    this.#used(key);
    return { tenantId: key.tenantId, keyId: key.id, scopes: key.scopes };
  }

  async tenants(): Promise<readonly TenantView[]> {
    return await this.#records.tenants();
  }

  async putTenant(tenant: Omit<TenantView, 'createdAt'>): Promise<TenantView> {
    return await this.#records.putTenant({ ...tenant, createdAt: this.#clock.now() });
  }

  async #read(id: string): Promise<KeyRecord | undefined> {
    const known = this.#remembered.get(id);
    const age = known ? this.#clock.elapsed() - known.readAt : Number.POSITIVE_INFINITY;
    if (known && age < FRESH_MS) return known.record;
    const changes = this.#changes;
    try {
      const record = await this.#records.key(id);
      if (changes === this.#changes) this.#remember(id, record);
      return record;
    } catch (error) {
      const isAway = isKennelError(error) && error.code === 'database.unavailable';
      if (isAway && known?.record && age < STALE_MS) return known.record;
      throw error;
    }
  }

  #remember(id: string, record: KeyRecord | undefined): void {
    this.#remembered.delete(id);
    this.#remembered.set(id, { record, readAt: this.#clock.elapsed() });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED_MAX) break;
      this.#remembered.delete(oldest);
    }
  }

  #forget(id: string): void {
    this.#changes += 1;
    this.#remembered.delete(id);
  }

  /** To the minute, and beside the request: nobody waits for it, and a use that is not written is written with the next. */
  #used(key: KeyRecord): void {
    const minute = Math.floor(this.#clock.now() / USE_GRAIN_MS) * USE_GRAIN_MS;
    if ((key.lastUsedAt ?? 0) >= minute) return;
    const known = this.#remembered.get(key.id);
    if (known) this.#remembered.set(key.id, { ...known, record: { ...key, lastUsedAt: minute } });
    this.#records.usedKey(key.id, minute).catch((error: unknown) => {
      this.#log('debug', 'The last use of a key was not written', {
        keyId: key.id,
        error: messageOf(error),
      });
    });
  }
}

const stored = ({ id, secretHash }: SecretKey) => ({ id, secretHash });

const keyView = ({ secretHash, ...key }: KeyRecord): KeyView => key;

const isGood = ({ expiresAt, revokedAt }: KeyView, now: number): boolean =>
  (expiresAt === undefined || now < expiresAt) && (revokedAt === undefined || now < revokedAt);

const notFound = (id: string) =>
  new KennelError('key.notFound', `there is no key ${id} that is still good`, { details: { id } });

export const keptAccessKeys = (options: KeptAccessKeysOptions): KeptAccessKeys =>
  new KeptAccessKeys(options);
