import type { LiveConfig } from '../config/liveConfig.ts';
import type { Principal } from '../core/access.ts';
import { systemClock as clock } from '../core/clock.ts';
import { newJobId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/database.ts';
import { QueueStore } from '../db/queueStore.ts';
import { scheduleStore } from '../db/scheduleStore.ts';
import type { HostPool } from '../hosts/hostPool.ts';
import { costKey } from '../jobs/costKey.ts';
import type { EventLog } from '../jobs/eventLog.ts';
import type { JobRequest } from '../jobs/jobRequest.ts';
import { sourceKey } from '../jobs/sourceKey.ts';
import { submittedSpec } from '../jobs/submittedSpec.ts';
import { OpenWindows } from '../queue/openWindows.ts';
import { QueueKeeper } from '../queue/queueKeeper.ts';
import type { QueueRunner } from '../queue/queueRound.ts';
import { Schedules } from '../queue/schedules.ts';
import { capacityOf } from './capacityOf.ts';
import { operationsOf } from './operationsOf.ts';
import type { RecordingNode } from './recordingNode.ts';

export interface QueuePartsOptions {
  readonly live: LiveConfig;
  readonly database: Database;
  readonly hosts: HostPool;
  readonly recording: RecordingNode;
  readonly eventLog: EventLog;
  readonly log: Log;
}

/** What stands between those who ask for jobs and what records them: queue, capacity, operations. */
export function queueParts(options: QueuePartsOptions) {
  const { live, database, recording, eventLog, log } = options;
  const { node, records } = recording;
  const { outputDir } = live.current;
  const queue = new QueueStore(database, { clock });
  const capacity = capacityOf(options);
  /** However the node is done with a job, its place is free then. */
  const follow = (jobId: string) => {
    const gone = () => keeper.ended(jobId);
    node.ended(jobId).then(gone, gone);
  };
  const runner: QueueRunner = {
    begin: async (jobId) => {
      await node.begin(await records.get(jobId));
      follow(jobId);
    },
    refuse: async (jobId, refusal) => {
      await node.refuse(await records.get(jobId), refusal);
    },
  };
  const scheduled = scheduleStore(database);
  const windows = new OpenWindows({
    schedules: scheduled,
    records: queue,
    keysOf: (spec) => ({ sourceKey: sourceKey(spec), costKey: costKey(spec) }),
    tell: (event) => eventLog.append(event),
    newId: newJobId,
    clock,
    log,
  });
  const keeper = new QueueKeeper({
    records: queue,
    windows,
    capacity,
    runner,
    record: (decision) => records.record(decision),
    newId: newJobId,
    clock,
    log,
  });
  const schedules = new Schedules({
    records: scheduled,
    newId: newJobId,
    poke: () => keeper.poke(),
    clock,
  });
  return {
    queue,
    capacity,
    keeper,
    schedules,
    operations: operationsOf({ live, database, recording, queue, keeper }),
    specOf: (who: Principal, request: JobRequest) => submittedSpec(who, request, outputDir),
    /** Jobs that go on take their room, before the queue looks for any. */
    count: async (jobIds: readonly string[]) => {
      for (const id of jobIds) {
        const { costKey } = await queue.queued(id);
        capacity.admitted({ id, costKey });
        follow(id);
      }
    },
  };
}
