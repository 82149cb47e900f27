import type { KeyView, TenantView } from './accessKeys.ts';

/** A key as it is stored: what its secret is recognised by, and never the secret. */
export interface KeyRecord extends KeyView {
  /** SHA-256, hex. */
  readonly secretHash: string;
}

/** What keys ask of the database. Every call asks once and throws `database.unavailable` when there is no answer. */
export interface AccessRecords {
  /** @throws KennelError `tenant.notFound` */
  addKey(key: KeyRecord): Promise<void>;
  /** Adds a key when there is none at all, revoked ones included; false when there is one. Of racers, one adds its key. */
  addFirstKey(key: KeyRecord): Promise<boolean>;
  key(id: string): Promise<KeyRecord | undefined>;
  /** The newest first. */
  keys(tenantId?: string): Promise<readonly KeyView[]>;
  /** The key as it is afterwards; its moment only ever moves to be earlier. Undefined when there is no such key. */
  revokeKey(id: string, at: number): Promise<KeyView | undefined>;
  /** Adds the new key and revokes the old one, both or neither; false when the old one is not there or revoked by then. */
  replaceKey(
    id: string,
    key: KeyRecord,
    its: { readonly now: number; readonly revokedAt: number },
  ): Promise<boolean>;
  usedKey(id: string, at: number): Promise<void>;
  tenants(): Promise<readonly TenantView[]>;
  putTenant(tenant: TenantView): Promise<TenantView>;
}
