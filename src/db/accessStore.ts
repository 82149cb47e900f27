import type { Scope } from '../core/access.ts';
import { KennelError } from '../core/errors.ts';
import { accessQueries, type KeyRow, type NewKeyRow, type TenantRow } from './accessQueries.ts';
import type { Database, KennelDatabase } from './database.ts';
import { askOnce } from './outage.ts';

/** Times are milliseconds since the epoch. */
export interface StoredKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret, hex. */
  readonly secretHash: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly lastUsedAt?: number;
}

export interface StoredTenant {
  readonly id: string;
  readonly name: string;
  readonly weight: number;
  readonly runningMax?: number;
  readonly waitingMax?: number;
  readonly createdAt: number;
}

/** Keys of the API, and tenants. Every call asks once and throws `database.unavailable` when there is no answer. */
export class AccessStore {
  readonly #database: KennelDatabase;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#database = db;
  }

  /** @throws KennelError `tenant.notFound` */
  async addKey(key: StoredKey): Promise<void> {
    await askOnce(async () => {
      const queries = accessQueries(this.#database);
      // Tenants are never removed: one that is there now is there when the row is written.
      const [tenant] = await queries.tenant(key.tenantId);
      if (!tenant) {
        throw new KennelError('tenant.notFound', `there is no tenant ${key.tenantId}`, {
          details: { id: key.tenantId },
        });
      }
      await queries.insertKey(keyRow(key));
    });
  }

  /** Adds the key when there is none at all; of racers with the same id one adds its key. */
  async addFirstKey(key: StoredKey): Promise<boolean> {
    return await askOnce(async () => {
      const queries = accessQueries(this.#database);
      const [any] = await queries.anyKey();
      if (any) return false;
      const [added] = await queries.insertKeyOnce(keyRow(key));
      return added !== undefined;
    });
  }

  async key(id: string): Promise<StoredKey | undefined> {
    const [row] = await askOnce(() => accessQueries(this.#database).key(id));
    return row && storedKey(row);
  }

  /** The newest first. */
  async keys(tenantId?: string): Promise<Omit<StoredKey, 'secretHash'>[]> {
    const rows = await askOnce(() => accessQueries(this.#database).keys(tenantId));
    return rows.map((row) => withoutHash(storedKey(row)));
  }

  /** The key as it is afterwards; undefined when there is none. A key that is revoked earlier stays so. */
  async revokeKey(id: string, at: number): Promise<Omit<StoredKey, 'secretHash'> | undefined> {
    const [row] = await askOnce(() => accessQueries(this.#database).revoke(id, at));
    return row && withoutHash(storedKey(row));
  }

  /** Adds the new key and revokes the old one; false, and nothing, when the old one is not good any more. */
  async replaceKey(
    id: string,
    key: StoredKey,
    its: { readonly now: number; readonly revokedAt: number },
  ): Promise<boolean> {
    return await askOnce(() =>
      this.#database.transaction(async (transaction) => {
        const queries = accessQueries(transaction);
        const [old] = await queries.revokeGood(id, its);
        if (!old) return false;
        await queries.insertKey(keyRow(key));
        return true;
      }),
    );
  }

  async usedKey(id: string, at: number): Promise<void> {
    await askOnce(() => accessQueries(this.#database).used(id, at));
  }

  /** The oldest first. */
  async tenants(): Promise<StoredTenant[]> {
    const rows = await askOnce(() => accessQueries(this.#database).tenants());
    return rows.map(storedTenant);
  }

  /** Adds or changes a tenant; when it was made stays as it was. */
  async putTenant(tenant: StoredTenant): Promise<StoredTenant> {
    const { runningMax = null, waitingMax = null } = tenant;
    const row: TenantRow = { ...tenant, runningMax, waitingMax };
    const [put] = await askOnce(() => accessQueries(this.#database).putTenant(row));
    if (!put) throw new Error(`the tenant ${tenant.id} was neither added nor changed`);
    return storedTenant(put);
  }
}

const keyRow = (key: StoredKey): NewKeyRow => ({ ...key });

const storedKey = ({ expiresAt, revokedAt, lastUsedAt, ...row }: KeyRow): StoredKey => ({
  ...row,
  ...(expiresAt !== null && { expiresAt }),
  ...(revokedAt !== null && { revokedAt }),
  ...(lastUsedAt !== null && { lastUsedAt }),
});

const withoutHash = ({ secretHash, ...key }: StoredKey): Omit<StoredKey, 'secretHash'> => key;

const storedTenant = ({ runningMax, waitingMax, ...row }: TenantRow): StoredTenant => ({
  ...row,
  ...(runningMax !== null && { runningMax }),
  ...(waitingMax !== null && { waitingMax }),
});

export const accessStore = (database: Pick<Database, 'db'>): AccessStore =>
  new AccessStore(database);
