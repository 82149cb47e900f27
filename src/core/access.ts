/**
 * What a key of the API may do. `jobs.read`: see jobs, recordings and proofs. `jobs.write`: submit, stop, retry, extend.
 * `jobs.kill`: kill. `webhooks`: receivers and their deliveries. `admin`: everything, for every tenant, and keys, tenants,
 * configuration and private addresses besides.
 */
export const SCOPES = ['jobs.read', 'jobs.write', 'jobs.kill', 'webhooks', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The operator's own: there from the first migration on, the first key's, and whose alerts are that concern the whole node. */
export const DEFAULT_TENANT = 'default';

/** Who asks. */
export interface Principal {
  readonly tenantId: string;
  /** Absent where no key is demanded: on this machine alone. */
  readonly keyId?: string;
  readonly scopes: readonly Scope[];
}

export const mayDo = ({ scopes }: Principal, scope: Scope): boolean =>
  scopes.includes(scope) || scopes.includes('admin');

/** Others' jobs are not forbidden but unknown: whether they exist is nobody else's business. */
export const maySee = (principal: Principal, tenantId: string): boolean =>
  principal.tenantId === tenantId || principal.scopes.includes('admin');
