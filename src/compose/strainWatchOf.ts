import type { NodeCapacity } from '../capacity/nodeCapacity.ts';
import { StrainWatch } from '../capacity/strainWatch.ts';
import type { LiveConfig } from '../config/liveConfig.ts';
import { DEFAULT_TENANT } from '../core/access.ts';
import { systemClock as clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { EventLog } from '../jobs/eventLog.ts';
import type { RecordingNode } from './recordingNode.ts';

export interface StrainParts {
  readonly live: LiveConfig;
  readonly capacity: NodeCapacity;
  readonly recording: RecordingNode;
  readonly events: EventLog;
  readonly log: Log;
}

/** What sees that recordings do not drag each other down. */
export function strainWatchOf({ live, capacity, recording, events, log }: StrainParts) {
  const { node, records, disk } = recording;
  return new StrainWatch({
    policy: () => live.current.capacity.strain,
    pressure: () => capacity.pressure,
    diskLevel: () => disk.outlook?.level,
    jobs: async () => {
      const ids = node.jobIds().filter((id) => node.status(id)?.state === 'recording');
      const jobs = await Promise.all(ids.map(async (id) => await records.get(id)));
      return jobs.map(({ id, priority, startedAt, createdAt }) => ({
        id,
        priority,
        begunAt: startedAt ?? createdAt,
      }));
    },
    stop: (jobId, { resource, explanation, evidence }) => {
      const facts = { resource, explanation, ...evidence };
      records.record({
        jobId,
        dog: 'capacity',
        decision: 'job.stop',
        why: 'strain',
        evidence: facts,
      });
      node.stop(jobId);
    },
    tell: (type, data) => {
      events
        .append({ tenantId: DEFAULT_TENANT, type, at: clock.now(), data })
        .catch((error: unknown) => {
          log('warn', 'The strain of the node could not be told.', { error: messageOf(error) });
        });
    },
    clock,
    log,
  });
}
