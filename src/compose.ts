import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LEGAL_MOVES } from '../machines/index.ts';
import { supervisionTree } from '../machines/tree.ts';
import type { Kennel } from './cli/context.ts';
import { version } from './cli/version.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import { openDatabase } from './db/database.ts';
import { jobStore } from './db/jobStore.ts';
import { segmentIndex } from './db/segmentIndex.ts';
import { hostPool } from './hls/hostPool.ts';
import { EventFeed } from './jobs/events.ts';
import { exitCodeOfJob } from './jobs/exitCode.ts';
import { serialFinish } from './jobs/serialFinish.ts';
import { KennelNode } from './jobs/node.ts';
import { POLICY } from './jobs/policy.ts';
import { ledgerOf, recordingDirectory } from './jobs/recordings.ts';
import { proofOf } from './ledger/proof.ts';
import { findFfmpeg } from './media/findFfmpeg.ts';
import { finishRecording } from './media/finishRecording.ts';
import { readReceipt } from './media/receipt.ts';
import { fileLog } from './observability/logger.ts';
import { leash as leashOf } from './process/leash.ts';
import { diskStorage } from './storage/disk.ts';

/**
 * The one composition root: every part of Kennel, in the order in which they need each other. `stop` goes the other way.
 * Nothing runs before `start`, but the database is open (and locked, when it is the embedded one).
 */
export async function compose(config: Config): Promise<Kennel> {
  const { dataDir } = config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const clock = systemClock;
  const logDirectory = join(dataDir, 'log');
  const log = fileLog({ directory: logDirectory, level: config.logLevel });
  const directoryOf = (jobId: string) => recordingDirectory(dataDir, jobId);
  const feed = new EventFeed();

  const database = await openDatabase({
    url: config.databaseUrl,
    directory: dataDir,
    legalMoves: LEGAL_MOVES,
    log,
  });
  const records = jobStore(database, {
    clock,
    log,
    onMove: (jobId, move, at) => node.moved(jobId, move, at),
    onDecision: (decision, at) => feed.tell({ type: 'job.decided', ...decision }, at),
  });

  const hosts = hostPool({
    runDirectory: join(dataDir, 'run'),
    logDirectory,
    hosts: config.hosts,
    clock,
    log,
  });
  const leash = leashOf({ driver: hosts.driver, clock, log, directoryOf });

  const ffmpeg = await findFfmpeg({
    searchPath: config.searchPath,
    ...(config.ffmpeg !== undefined && { given: config.ffmpeg }),
  });
  const finish = finishRecording({
    directoryOf,
    storageFor: diskStorage,
    ...(ffmpeg && { ffmpeg }),
    kennel: version(),
    node: hostname(),
    log: (message, fields) => log('info', message, fields),
  });

  const node = new KennelNode({
    records,
    index: segmentIndex(database),
    leash,
    feed,
    clock,
    log,
    directoryOf,
    proofOf: async (jobId) => proofOf(await ledgerOf(directoryOf(jobId))),
    filesOf: async (jobId) => {
      const receipt = await readReceipt(join(directoryOf(jobId), 'finish'));
      return receipt?.keys.map((key) => join(receipt.root, key)) ?? [];
    },
    exitCodeOf: exitCodeOfJob,
  });

  const { promise: fallen, resolve: fall } = Promise.withResolvers<unknown>();
  const tree = supervisionTree({
    ports: {
      now: clock.now,
      random: Math.random,
      leash,
      store: records,
      finish: serialFinish(finish),
      policy: POLICY,
    },
    clock: { setTimeout, clearTimeout },
    unfinished: node.activeJobs,
    onFall: ({ error, crashes, delayMs }) =>
      log('error', 'the root of the tree fell', { error: messageOf(error), crashes, delayMs }),
    onSpent: fall,
  });

  let stopped: Promise<void> | undefined;
  return {
    node,
    records,
    fallen,
    start: async () => {
      await hosts.start();
      await node.raise(tree);
    },
    drain: () => tree.drain(),
    stop: () => {
      stopped ??= (async () => {
        tree.stop();
        await hosts.stop();
        await records.close();
        await database.close();
      })();
      return stopped;
    },
  };
}
