import type { Door } from '../../../src/api/apiParts.ts';
import { apiApp } from '../../../src/api/app.ts';
import { openFrontDoor } from '../../../src/api/frontDoor.ts';
import { Realtime, type RealtimeOptions } from '../../../src/api/realtime/realtime.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newJobId } from '../../../src/core/ids.ts';
import { EventFeed } from '../../../src/jobs/events.ts';
import { memoryOperations } from '../api/memoryOperations.ts';
import { memoryParts, OWN } from '../api/memoryParts.ts';
import { MemoryEventLog } from './memoryEventLog.ts';

interface Given {
  readonly door?: Partial<Door>;
  readonly realtime?: Partial<RealtimeOptions>;
}

/** An API on a real port of loopback, over jobs in memory that end when they are killed, and say so. */
export async function realtimeService({ door, realtime: its }: Given = {}) {
  const eventLog = new MemoryEventLog();
  const feed = new EventFeed();
  const { operations, plant, jobs } = memoryOperations();
  const kill = operations.kill.bind(operations);
  operations.kill = async (...question) => {
    const job = await kill(...question);
    eventLog.add({ jobId: job.id, tenantId: job.tenantId, data: { to: job.state } });
    return job;
  };
  const { parts, accessKeys, lines } = memoryParts();
  const { log } = parts;
  const realtime = new Realtime({
    ...{ operations, eventLog, feed, accessKeys, clock: systemClock, log },
    rtc: { addresses: ['127.0.0.1'] },
    ...its,
  });
  const whole = { isKeyDemanded: true, hosts: [], origins: [], ...door };
  const app = apiApp({ ...parts, operations, realtime, door: whole });
  const front = await openFrontDoor({ host: '127.0.0.1', port: 0, clock: systemClock }, app);
  const url = `${front.address}/api/v1`;
  return {
    url,
    origin: front.address,
    socketUrl: `${url.replace('http', 'ws')}/control`,
    port: Number(new URL(front.address).port),
    ...{ eventLog, feed, realtime, accessKeys, jobs, lines },
    bearer: async (...scopes: Parameters<typeof accessKeys.keyFor>) => ({
      authorization: `Bearer ${await accessKeys.keyFor(...scopes)}`,
    }),
    /** A job of the own tenant. */
    job: () => {
      const id = newJobId();
      plant(id, OWN);
      return id;
    },
    close: async () => {
      await realtime.stop();
      await front.close();
    },
  };
}
export type RealtimeService = Awaited<ReturnType<typeof realtimeService>>;
