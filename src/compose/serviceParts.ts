import type { ApiParts } from '../api/apiParts.ts';
import { apiApp } from '../api/app.ts';
import type { HealthCheck } from '../api/health.ts';
import { Realtime } from '../api/realtime/realtime.ts';
import { version } from '../cli/version.ts';
import type { LiveConfig } from '../config/liveConfig.ts';
import { DEFAULT_TENANT } from '../core/access.ts';
import { systemClock as clock } from '../core/clock.ts';
import { isKennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import { accessStore } from '../db/accessStore.ts';
import type { Database } from '../db/database.ts';
import { eventLog } from '../db/eventLog.ts';
import { persist } from '../db/persist.ts';
import { retention } from '../db/retention.ts';
import type { HostPool } from '../hosts/hostPool.ts';
import { Janitor } from '../jobs/janitor.ts';
import { keptAccessKeys } from '../jobs/keptAccessKeys.ts';
import { queueParts } from './queueParts.ts';
import { recordingNode } from './recordingNode.ts';
import { strainWatchOf } from './strainWatchOf.ts';
import { webhookParts } from './webhookParts.ts';

const DAY_MS = 86_400_000;
const KIB = 1_024;
const LOOPBACK = '127.0.0.1';

export interface ServicePartsOptions {
  readonly live: LiveConfig;
  readonly database: Database;
  readonly hosts: HostPool;
  readonly log: Log;
}

/** Everything of the service that needs its database, in the order in which the parts need each other. */
export function serviceParts({ live, database, hosts, log }: ServicePartsOptions) {
  const config = live.current;
  const events = eventLog(database, { clock, log });
  const recording = recordingNode({ config, database, hosts, events, log });
  const accessKeys = keptAccessKeys({ records: accessStore(database), clock, log });
  const { queue, capacity, keeper, schedules, operations, specOf, count } = queueParts({
    ...{ live, database, hosts, recording, log },
    eventLog: events,
  });
  const isKeyDemanded = demandsKeys(config.api);
  const { webhooks, register, sender } = webhookParts({ config, database, events, log });
  const realtime = new Realtime({
    ...{ operations, eventLog: events, feed: recording.feed, accessKeys, clock, log },
    // Whoever listens on loopback alone is reached there by data channels as well.
    rtc: { addresses: [LOOPBACK] },
  });
  const api: ApiParts = {
    operations,
    schedules,
    specOf,
    accessKeys,
    capacity,
    configuration: () => live.view(),
    webhooks,
    realtime,
    clock,
    log,
    limits: {
      bodyBytesMax: config.api.bodyKibMax * KIB,
      requestsPerKeyAndMinute: config.api.requestsPerMinute,
      requestsPerAddressAndMinute: config.api.addressRequestsPerMinute,
    },
    door: { isKeyDemanded, hosts: config.api.names, origins: config.api.corsOrigins },
    version: version(),
  };
  const services: readonly Service[] = [
    capacity,
    keeper,
    strainWatchOf({ live, capacity, recording, events, log }),
    sender,
    janitor({ live, database, log, events }),
  ];
  return {
    recording,
    app: apiApp(api),
    checks: [databaseCheck(recording.records), diskCheck(recording.disk)],
    start: async (signal: AbortSignal) => {
      const outlasting = <Answer>(ask: () => Promise<Answer>) =>
        persist(ask, signal, { clock, random: Math.random, log });
      await recording.start();
      // A round that an outage cuts short is begun anew; what it has taken is passed over then.
      await outlasting(() => recording.node.resumeAll((id) => queue.putBack(id)));
      await outlasting(() => count(recording.node.jobIds()));
      const { newSecret: clipperSecret } = await outlasting(register);
      for (const service of services) await service.start();
      const firstKey = isKeyDemanded
        ? await outlasting(() => accessKeys.createFirst(DEFAULT_TENANT))
        : undefined;
      return {
        resumed: recording.node.jobIds().length,
        ...(firstKey !== undefined && { firstKey }),
        ...(clipperSecret !== undefined && { clipperSecret }),
      };
    },
    /** No job begins any more; those that run go on. */
    closeQueue: async () => {
      for (const service of services.toReversed()) await service.stop();
    },
    stop: async () => {
      await realtime.stop();
      for (const service of services.toReversed()) await service.stop();
      await recording.stop();
    },
    close: async () => {
      await recording.records.close();
      await database.close();
    },
  };
}

/** On loopback, whoever asks is somebody on this machine. */
const demandsKeys = ({ host, socket, keys }: LiveConfig['current']['api']): boolean =>
  keys === 'required' || !(socket !== undefined || isLoopback(host));

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

function janitor(parts: {
  readonly live: LiveConfig;
  readonly database: Database;
  readonly log: Log;
  readonly events: { clear(before: number): Promise<number> };
}): Service {
  const { live, database, log, events } = parts;
  const { removeDeliveries } = retention(database);
  const deliveries = (state: 'delivered' | 'dead', days: () => number) => ({
    what: `${state} webhooks`,
    remove: (now: number, limit: number) =>
      removeDeliveries({ state, before: now - days() * DAY_MS, limit }),
  });
  return new Janitor({
    clock,
    log,
    chores: [
      {
        what: 'events',
        remove: (now) => events.clear(now - live.current.queue.eventDays * DAY_MS),
      },
      deliveries('delivered', () => live.current.webhooks.deliveredDays),
      deliveries('dead', () => live.current.webhooks.deadDays),
    ],
  });
}

const databaseCheck = (records: {
  list(wish: { readonly limit: number }): Promise<unknown>;
}): HealthCheck => ({
  name: 'database',
  look: async () => {
    try {
      await records.list({ limit: 1 });
      return undefined;
    } catch (error) {
      if (isKennelError(error) && error.code === 'database.unavailable') return 'does not answer';
      throw error;
    }
  },
});

const diskCheck = (disk: ReturnType<typeof recordingNode>['disk']): HealthCheck => ({
  name: 'disk',
  look: () => {
    const level = disk.outlook?.level;
    return level === 'critical' || level === 'full' ? `is ${level}` : undefined;
  },
});
