import { join } from 'node:path';
import type { LiveConfig } from '../config/liveConfig.ts';
import { systemClock as clock, pause } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { Database } from '../db/database.ts';
import { JobListing } from '../db/jobListing.ts';
import type { QueueStore } from '../db/queueStore.ts';
import type { SegmentRow } from '../db/segmentIndex.ts';
import { jobLogs } from '../jobs/jobLogs.ts';
import { ServiceOperations } from '../jobs/serviceOperations.ts';
import { findFfmpeg } from '../media/findFfmpeg.ts';
import { LivePictures } from '../media/livePicture.ts';
import type { QueueKeeper } from '../queue/queueKeeper.ts';
import type { RecordingNode } from './recordingNode.ts';

const HOUR_MS = 3_600_000;

export interface OperationsParts {
  readonly live: LiveConfig;
  readonly database: Database;
  readonly recording: RecordingNode;
  readonly queue: QueueStore;
  readonly keeper: QueueKeeper;
}

/** What can be asked of this service. */
export function operationsOf(parts: OperationsParts): ServiceOperations {
  const { live, database, recording, queue, keeper } = parts;
  const { node, records } = recording;
  const { dataDir, outputDir, ffmpeg: given, searchPath, queue: terms } = live.current;
  const pictures = new LivePictures({
    ffmpeg: () => findFfmpeg({ searchPath, ...(given !== undefined && { given }) }),
    directoryOf: recording.directoryOf,
    clock,
  });
  const callOff = (jobId: string, order: 'job.stop' | 'job.kill') =>
    calledOff({ node, records, queue }, jobId, order);
  return new ServiceOperations({
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
}

/** The index has null where a journal says nothing. */
const segmentOf = ({ init: _init, wallClock, ...segment }: SegmentRow) => ({
  ...segment,
  ...(wallClock !== null && { wallClock }),
});

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
