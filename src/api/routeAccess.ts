import type { Scope } from '../core/access.ts';

/**
 * What a route asks of whoever calls it: a scope, `anyKey` (any key that is valid), or `open` (nobody is asked who they are).
 */
export type Access = Scope | 'anyKey' | 'open';

/**
 * Every route of `/api/v1`, and what it asks. A route that is not in here is refused to everybody: the table is the only
 * place where access is granted, and `test/unit/api/accessMatrix.test.ts` tries all of it.
 */
export const ROUTE_ACCESS = {
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /docs/{file}': 'open',
  'GET /me': 'anyKey',
  'POST /keys': 'admin',
  'GET /keys': 'admin',
  'DELETE /keys/{keyId}': 'admin',
  'POST /keys/{keyId}/rotate': 'admin',
  'GET /tenants': 'admin',
  'PUT /tenants/{tenantId}': 'admin',
  'POST /jobs': 'jobs.write',
  'GET /jobs': 'jobs.read',
  'GET /jobs/{jobId}': 'jobs.read',
  'POST /jobs/{jobId}/stop': 'jobs.write',
  'POST /jobs/{jobId}/kill': 'jobs.kill',
  'POST /jobs/{jobId}/retry': 'jobs.write',
  'POST /jobs/{jobId}/extend': 'jobs.write',
  'GET /jobs/{jobId}/segments': 'jobs.read',
  'GET /jobs/{jobId}/gaps': 'jobs.read',
  'GET /jobs/{jobId}/transitions': 'jobs.read',
  'GET /jobs/{jobId}/proof': 'jobs.read',
  'GET /jobs/{jobId}/logs': 'jobs.read',
  'GET /jobs/{jobId}/thumbnail': 'jobs.read',
  'GET /events': 'jobs.read',
  'GET /jobs/{jobId}/events': 'jobs.read',
  'POST /tickets': 'anyKey',
  'GET /control': 'anyKey',
  'POST /rtc': 'anyKey',
  'DELETE /rtc/{sessionId}': 'anyKey',
  'POST /webhooks': 'webhooks',
  'GET /webhooks': 'webhooks',
  'GET /webhooks/{webhookId}': 'webhooks',
  'PATCH /webhooks/{webhookId}': 'webhooks',
  'DELETE /webhooks/{webhookId}': 'webhooks',
  'POST /webhooks/{webhookId}/rotate': 'webhooks',
  'POST /webhooks/{webhookId}/ping': 'webhooks',
  'GET /webhooks/{webhookId}/deliveries': 'webhooks',
  'POST /webhooks/{webhookId}/deliveries/{deliveryId}/redeliver': 'webhooks',
  'POST /schedules': 'jobs.write',
  'GET /schedules': 'jobs.read',
  'GET /schedules/{scheduleId}': 'jobs.read',
  'PATCH /schedules/{scheduleId}': 'jobs.write',
  'DELETE /schedules/{scheduleId}': 'jobs.write',
  'GET /schedules/{scheduleId}/windows': 'jobs.read',
  'GET /watchdogs': 'jobs.read',
  'GET /capacity': 'jobs.read',
  'GET /config': 'admin',
} as const satisfies Readonly<Record<string, Access>>;

/** Routes that browsers open without headers of their own: they take a ticket in the place of a key. */
export const TAKES_TICKETS: ReadonlySet<string> = new Set<RouteKey>([
  'GET /events',
  'GET /jobs/{jobId}/events',
  'GET /control',
]);

export type RouteKey = keyof typeof ROUTE_ACCESS;

const ACCESS: ReadonlyMap<string, Access> = new Map(Object.entries(ROUTE_ACCESS));

/** What a route asks; undefined when the table does not have it. */
export const accessOf = (key: string): Access | undefined => ACCESS.get(key);
