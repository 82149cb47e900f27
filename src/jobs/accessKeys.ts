import type { Principal, Scope } from '../core/access.ts';

/** A key of the API, without its secret. Times are milliseconds since the epoch. */
export interface KeyView {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly lastUsedAt?: number;
}

export interface TenantView {
  readonly id: string;
  readonly name: string;
  readonly weight: number;
  readonly runningMax?: number;
  readonly waitingMax?: number;
  readonly createdAt: number;
}

/** Keys and tenants. A key reads `kn_<id>_<secret>`; it is told when it is made, and never again. */
export interface AccessKeys {
  create(key: {
    readonly tenantId: string;
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly expiresAt?: number;
  }): Promise<{ readonly key: KeyView; readonly text: string }>;
  list(tenantId?: string): Promise<readonly KeyView[]>;
  /** @throws KennelError `key.notFound` */
  revoke(id: string): Promise<KeyView>;
  /** A new key in the place of an old one, which is revoked after `overlapMs`. */
  rotate(id: string, overlapMs: number): Promise<{ readonly key: KeyView; readonly text: string }>;
  /** Who has this key; undefined when it is unknown, revoked or expired. Constant time in the secret. */
  whose(text: string): Promise<Principal | undefined>;
  tenants(): Promise<readonly TenantView[]>;
  putTenant(tenant: Omit<TenantView, 'createdAt'>): Promise<TenantView>;
}
