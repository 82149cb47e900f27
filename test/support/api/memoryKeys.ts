import { type Principal, SCOPES, type Scope } from '../../../src/core/access.ts';
import { KennelError } from '../../../src/core/errors.ts';
import type { AccessKeys, KeyView, TenantView } from '../../../src/jobs/accessKeys.ts';

/** Keys and tenants in memory, for tests of routes. Times are counted, not read. */
export class MemoryKeys implements AccessKeys {
  readonly #keys = new Map<string, KeyView>();
  readonly #tenants = new Map<string, TenantView>();
  #made = 0;

  constructor(tenants: readonly string[]) {
    for (const id of tenants)
      this.#tenants.set(id, { id, name: id, weight: 1, createdAt: this.#tick() });
  }

  async create(key: Parameters<AccessKeys['create']>[0]) {
    if (!this.#tenants.has(key.tenantId)) throw unknown('tenant.notFound', key.tenantId);
    const made: KeyView = { ...key, id: `k${++this.#made}`, createdAt: this.#tick() };
    this.#keys.set(made.id, made);
    return { key: made, text: textOf(made.id) };
  }

  async list(tenantId?: string) {
    return [...this.#keys.values()].filter((key) => !tenantId || key.tenantId === tenantId);
  }

  async revoke(id: string) {
    const key = this.#known(id);
    const revoked = { ...key, revokedAt: key.revokedAt ?? this.#tick() };
    this.#keys.set(id, revoked);
    return revoked;
  }

  async rotate(id: string, overlapMs: number) {
    const { tenantId, name, scopes, createdAt } = this.#known(id);
    this.#keys.set(id, { ...this.#known(id), revokedAt: createdAt + overlapMs });
    return await this.create({ tenantId, name, scopes });
  }

  async whose(text: string): Promise<Principal | undefined> {
    const key = [...this.#keys.values()].find(({ id }) => textOf(id) === text);
    if (!key || key.revokedAt !== undefined) return undefined;
    return { tenantId: key.tenantId, keyId: key.id, scopes: key.scopes };
  }

  async tenants() {
    return [...this.#tenants.values()];
  }

  async putTenant(tenant: Omit<TenantView, 'createdAt'>) {
    const createdAt = this.#tenants.get(tenant.id)?.createdAt ?? this.#tick();
    const put = { ...tenant, createdAt };
    this.#tenants.set(tenant.id, put);
    return put;
  }

  /** The text of a new key. */
  async keyFor(tenantId: string, scopes: readonly Scope[] = SCOPES): Promise<string> {
    return (await this.create({ tenantId, name: scopes.join('+'), scopes })).text;
  }

  #known(id: string): KeyView {
    const key = this.#keys.get(id);
    if (!key) throw unknown('key.notFound', id);
    return key;
  }

  #tick = (): number => 1_750_000_000_000 + this.#keys.size + this.#tenants.size;
}

const textOf = (id: string): string => `kn_${id}_${'s'.repeat(43)}`;

const unknown = (code: 'tenant.notFound' | 'key.notFound', id: string) =>
  new KennelError(code, `there is no ${id}`, { details: { id } });
