import { API_LIMITS } from '../../../src/api/apiLimits.ts';
import type { ApiParts } from '../../../src/api/apiParts.ts';
import { Realtime } from '../../../src/api/realtime/realtime.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { LogLevel } from '../../../src/core/log.ts';
import { EventFeed } from '../../../src/jobs/events.ts';
import { submittedSpec } from '../../../src/jobs/submittedSpec.ts';
import { FakePeer } from '../realtime/fakePeer.ts';
import { MemoryEventLog } from '../realtime/memoryEventLog.ts';
import { MemoryKeys } from './memoryKeys.ts';
import { memorySchedules } from './memorySchedules.ts';
import { MemoryWebhooks } from './memoryWebhooks.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The tenants of every test: whose things are asked for, and who must not see them. */
export const OWN = 'default';
export const FOREIGN = 'neighbour';

/** A part that a test does not give: whoever asks it hears so. */
const absent = <Part extends object>(name: string): Part =>
  // A stand-in for any interface: it has no member that works.
  new Proxy(
    {},
    {
      get: (_, member) => () => {
        throw new Error(`this test has no ${name}.${String(member)}`);
      },
    },
  ) as Part;

/** An API's parts in memory. A noun adds what its routes ask, so that the access matrix and the fuzzer cover them. */
export function memoryParts(given: Partial<ApiParts> = {}) {
  const lines: LogLine[] = [];
  const accessKeys = new MemoryKeys([OWN, FOREIGN]);
  const log: ApiParts['log'] = (level, message, fields) => lines.push({ level, message, fields });
  const parts: ApiParts = {
    operations: absent('operations'),
    accessKeys,
    capacity: absent('capacity'),
    configuration: () => [],
    webhooks: new MemoryWebhooks(),
    schedules: memorySchedules(),
    specOf: (who, request) => submittedSpec(who, request, '/var/lib/kennel/output'),
    realtime: new Realtime({
      operations: given.operations ?? absent('operations'),
      eventLog: new MemoryEventLog(),
      feed: new EventFeed(),
      accessKeys,
      clock: systemClock,
      log,
      rtc: { load: async () => ({ RTCPeerConnection: FakePeer }) },
    }),
    clock: systemClock,
    log,
    limits: API_LIMITS,
    door: { isKeyDemanded: true, hosts: [], origins: [] },
    version: '0.0.0',
    ...given,
  };
  /** Ids of things of `OWN` that these parts have, by the name of the parameter of a path (see `tenantWorld.ts`). */
  const ids: Readonly<Record<string, string>> = {};
  return { parts, accessKeys, lines, ids };
}
