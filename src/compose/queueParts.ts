import { join } from 'node:path';
import { readMachine } from '../capacity/machine.ts';
import { type CapacityLimits, NodeCapacity } from '../capacity/nodeCapacity.ts';
import type { LiveConfig } from '../config/liveConfig.ts';
import { systemClock as clock, pause } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import { newJobId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { CostStore } from '../db/costStore.ts';
import type { Database } from '../db/database.ts';
import { JobListing } from '../db/jobListing.ts';
import { QueueStore } from '../db/queueStore.ts';
import type { SegmentRow } from '../db/segmentIndex.ts';
import type { HostPool } from '../hosts/hostPool.ts';
import { jobLogs } from '../jobs/jobLogs.ts';
import { POLICY } from '../jobs/policy.ts';
import { ServiceOperations } from '../jobs/serviceOperations.ts';
import { findFfmpeg } from '../media/findFfmpeg.ts';
import { LivePictures } from '../media/livePicture.ts';
import { QueueKeeper } from '../queue/queueKeeper.ts';
import type { QueueRunner } from '../queue/queueRound.ts';
import { freeBytes } from '../storage/freeBytes.ts';
import type { RecordingNode } from './recordingNode.ts';

type CarriedJob = ReturnType<HostPool['carriers']>[number]['jobs'][number];

const MIB = 1024 ** 2;
const HOUR_MS = 3_600_000;

export interface QueuePartsOptions {
  readonly live: LiveConfig;
  readonly database: Database;
  readonly hosts: HostPool;
  readonly recording: RecordingNode;
  readonly log: Log;
}

/** What stands between those who ask for jobs and what records them: queue, capacity, operations. */
export function queueParts({ live, database, hosts, recording, log }: QueuePartsOptions) {
  const { node, records } = recording;
  const { dataDir, outputDir, ffmpeg: given, searchPath, queue: terms } = live.current;
  const queue = new QueueStore(database, { clock });
  const capacity = new NodeCapacity({
    limits: () => limitsOf(live.current),
    machine: readMachine(),
    records: new CostStore(database, clock.now),
    carriers: () => hosts.carriers().map(({ pid, jobs }) => ({ pid, jobs: jobs.map(carriedJob) })),
    freeBytes: () => freeBytes(dataDir),
    clock,
    log,
  });
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
  const keeper = new QueueKeeper({
    records: queue,
    capacity,
    runner,
    record: (decision) => records.record(decision),
    newId: newJobId,
    clock,
    log,
  });
  const pictures = new LivePictures({
    ffmpeg: () => findFfmpeg({ searchPath, ...(given !== undefined && { given }) }),
    directoryOf: recording.directoryOf,
    clock,
  });
  const callOff = (jobId: string, order: 'job.stop' | 'job.kill') =>
    calledOff({ node, records, queue }, jobId, order);
  const operations = new ServiceOperations({
    records,
    listing: new JobListing(database),
    queue,
    keeper,
    node: {
      stopJob: (jobId) => callOff(jobId, 'job.stop'),
      killJob: (jobId) => callOff(jobId, 'job.kill'),
      extend: (jobId, end) => node.extend(jobId, end),
      watchdogs: () => node.watchdogs(),
    },
    index: {
      segments: async (jobId, page) => (await recording.index.segments(jobId, page)).map(segmentOf),
      gaps: (jobId) => recording.index.gaps(jobId),
    },
    proofOf: recording.proofOf,
    logsOf: (jobId, lines) => jobLogs(join(dataDir, 'log'), { jobId, lines }),
    pictureOf: (jobId, at) => pictures.pictureOf(jobId, at),
    outputDirectory: () => outputDir,
    idempotencyMs: terms.answerHours * HOUR_MS,
    clock,
  });
  return {
    queue,
    capacity,
    keeper,
    operations,
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

const carriedJob = ({ jobId, progress }: CarriedJob) => ({
  jobId,
  bytes: progress.bytes,
  ...(progress.program && { programCpuMs: progress.program.cpuMs }),
});

/** The index has null where a journal says nothing. */
const segmentOf = ({ init: _init, wallClock, ...segment }: SegmentRow) => ({
  ...segment,
  ...(wallClock !== null && { wallClock }),
});

function limitsOf({ capacity }: LiveConfig['current']): CapacityLimits {
  const { jobsMax = POLICY.capacity, cpuShare, memoryShare, diskReserveMib } = capacity;
  const { networkBytesPerSecond, diskBytesPerSecond } = capacity;
  return {
    jobsMax,
    cpuShare,
    memoryShare,
    diskReserveBytes: diskReserveMib * MIB,
    ...(networkBytesPerSecond !== undefined && { networkBytesPerSecond }),
    ...(diskBytesPerSecond !== undefined && { diskBytesPerSecond }),
  };
}

/** A job that was just taken out of the queue is on its way to the tree: it is there within so many looks. */
const LOOKS_MAX = 40;
const LOOK_EVERY_MS = 50;

/**
 * Stops or kills a job, wherever it stands: in the tree it is told; in the queue it is taken out and ended by its Big Dog.
 *
 * @throws KennelError `job.conflict` when another node has it
 */
async function calledOff(
  parts: Pick<RecordingNode, 'node' | 'records'> & { readonly queue: QueueStore },
  jobId: string,
  order: 'job.stop' | 'job.kill',
): Promise<void> {
  const { node, records, queue } = parts;
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (node.status(jobId)) return order === 'job.stop' ? node.stop(jobId) : node.kill(jobId);
    if (await queue.takeOut(jobId)) {
      await node.cancel(await records.get(jobId), order);
      return;
    }
    await pause(clock, LOOK_EVERY_MS);
  }
  throw new KennelError('job.conflict', `The job ${jobId} has ended, or another node has it.`);
}
