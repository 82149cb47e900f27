import { join } from 'node:path';
import type { LiveConfig } from '../config/liveConfig.ts';
import { systemClock as clock } from '../core/clock.ts';
import type { Database } from '../db/database.ts';
import { JobListing } from '../db/jobListing.ts';
import type { QueueStore } from '../db/queueStore.ts';
import type { SegmentRow } from '../db/segmentIndex.ts';
import { type CallOffOrder, calledOff } from '../jobs/calledOff.ts';
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
  const callOff = (jobId: string, order: CallOffOrder) =>
    calledOff({ node, records, queue, keeper, clock }, jobId, order);
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
