import { API_LIMITS } from '../../../src/api/apiLimits.ts';
import type { ApiParts } from '../../../src/api/apiParts.ts';
import { apiApp } from '../../../src/api/app.ts';
import type { CapacityReport } from '../../../src/capacity/capacity.ts';
import type { Scope } from '../../../src/core/access.ts';
import { OFFER } from '../realtime/fakePeer.ts';
import { memoryOperations } from './memoryOperations.ts';
import { type FOREIGN, memoryParts, OWN } from './memoryParts.ts';

/**
 * What stands in a path, by the name of the parameter, for things that are there. A noun that brings a new parameter gives
 * the id of a thing of `OWN` here (and has it in `memoryParts`), so that the matrix and the fuzzer find it.
 */
export type KnownIds = Readonly<Record<string, string>>;

const JOB = '01890a5d-ac96-774b-bcce-b302099a8057';

const CAPACITY: CapacityReport = {
  at: 1_750_000_000_000,
  resources: [{ resource: 'slots', limit: 20, used: 3, expected: 4 }],
  pressure: { cpu: 0.5, memory: 0, io: 1.25 },
  running: 3,
  typical: {
    costKey: 'native:example.org',
    cost: {
      cpu: 0.05,
      memoryBytes: 5e7,
      networkBytesPerSecond: 6e5,
      diskBytesPerSecond: 6e5,
      descriptors: 12,
    },
    more: 16,
  },
};

/** An API with things of two tenants, that asks as fast as it likes. */
export async function tenantWorld(given: Partial<ApiParts> = {}) {
  const limits = {
    ...API_LIMITS,
    requestsPerKeyAndMinute: 1e9,
    requestsPerAddressAndMinute: 1e9,
  };
  const { operations, plant } = memoryOperations();
  plant(JOB, OWN);
  const made = memoryParts({ limits, operations, capacity: { report: () => CAPACITY }, ...given });
  const { accessKeys, parts, lines } = made;
  const { key } = await accessKeys.create({ tenantId: OWN, name: 'known', scopes: ['jobs.read'] });
  const rtc = await parts.realtime.rtc.answer({ tenantId: OWN, scopes: [] }, OFFER);
  const hook = { tenantId: OWN, url: 'https://hooks.example/', types: [] };
  const { webhook } = await parts.webhooks.create(hook);
  const { id: deliveryId } = await parts.webhooks.ping(webhook.id);
  const owner = { tenantId: OWN, scopes: ['jobs.write'] } as const;
  const spec = parts.specOf(owner, { url: 'https://example.org/live.m3u8' });
  const weekly = { name: 'weekly', cron: '0 20 * * 1', windowMs: 3_600_000, spec };
  const { id: scheduleId } = await parts.schedules.create(owner, weekly);
  const ids: KnownIds = {
    scheduleId,
    ...made.ids,
    webhookId: webhook.id,
    deliveryId,
    sessionId: rtc.id,
    jobId: JOB,
    keyId: key.id,
    tenantId: OWN,
    file: 'start.js',
  };
  const keyOf = (tenantId: typeof OWN | typeof FOREIGN, scopes: readonly Scope[]) =>
    accessKeys.keyFor(tenantId, scopes);
  return { app: apiApp(parts), ids, keyOf, lines };
}

/** A path with its parameters filled in. */
export const filledPath = (path: string, ids: KnownIds): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined)
      throw new Error(`tenantWorld.ts does not know what {${name}} of ${path} stands for`);
    return encodeURIComponent(id);
  });
