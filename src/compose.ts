import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LEGAL_MOVES } from '../machines/index.ts';
import type { Finish, Leash, Store } from '../machines/ports.ts';
import { supervisionTree } from '../machines/tree.ts';
import type { Kennel } from './cli/context.ts';
import { version } from './cli/version.ts';
import { hostEnvironment } from './config/hostSettings.ts';
import type { Config } from './config/schema.ts';
import { systemClock as clock, pause } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import type { Log } from './core/log.ts';
import { openDatabase } from './db/database.ts';
import { jobStore } from './db/jobStore.ts';
import { lockFile } from './db/pglite/lock.ts';
import { segmentIndex } from './db/segmentIndex.ts';
import { hostPool } from './hosts/hostPool.ts';
import { DiskWatch } from './jobs/diskWatch.ts';
import { EventFeed } from './jobs/events.ts';
import { exitCodeOfJob } from './jobs/exitCode.ts';
import { lazyFinish } from './jobs/lazyFinish.ts';
import { KennelNode } from './jobs/node.ts';
import { POLICY } from './jobs/policy.ts';
import { ledgerOf, recordingDirectory } from './jobs/recordings.ts';
import { serialFinish } from './jobs/serialFinish.ts';
import { proofOf } from './ledger/proof.ts';
import { readReceipt } from './media/receipt.ts';
import { fileLog } from './observability/logger.ts';
import { leash as leashOf } from './process/leash.ts';
import { assertWritable } from './storage/assertWritable.ts';
import { destinationError } from './storage/destinationError.ts';
import { diskStorage } from './storage/disk.ts';
import { freeBytes } from './storage/freeBytes.ts';

/** Closing an embedded database takes well under a second, and a server's connections are given 5 s. */
const DATABASE_CLOSE_WAIT_MS = 7_000;

/**
 * The one composition root: every part of Kennel, in the order in which they need each other; `stop` goes the other way.
 * Nothing runs before `start`, but the database is open (and locked, when it is the embedded one).
 */
export async function compose(config: Config): Promise<Kennel> {
  await makeDataDirectory(config.dataDir);
  const log = fileLog({ directory: logDirectoryOf(config), level: config.logLevel });
  const feed = new EventFeed();
  const directoryOf = (jobId: string) => recordingDirectory(config.dataDir, jobId);

  const database = await openDatabase({
    url: config.databaseUrl?.reveal(),
    directory: config.dataDir,
    legalMoves: LEGAL_MOVES,
    log,
  });
  const records = jobStore(database, {
    clock,
    log,
    onMove: (jobId, move, at) => node.moved(jobId, move, at),
    onDecision: (decision, at) => feed.tell({ type: 'job.decided', ...decision }, at),
  });
  const hosts = recorderHosts(config, log);
  const leash = leashOf({ driver: hosts.driver, log, directoryOf });
  const node = new KennelNode({
    records,
    index: segmentIndex(database),
    leash,
    feed,
    clock,
    log,
    directoryOf,
    assertWritable,
    proofOf: async (jobId) => proofOf(await ledgerOf(directoryOf(jobId))),
    filesOf: (jobId) => storedFiles(directoryOf(jobId)),
    exitCodeOf: exitCodeOfJob,
  });
  const { tree, fallen } = treeOf({
    node,
    leash,
    records,
    log,
    finish: lazyFinish(() => finishing(config, log)),
  });
  const disk = new DiskWatch({
    freeBytes: () => freeBytes(config.dataDir),
    activeJobs: node.jobIds,
    leash,
    feed,
    clock,
    log,
  });
  const stopParts = async () => {
    await disk.stop();
    tree.stop();
    await hosts.stop();
    lock?.release();
    await closeInTime(async () => {
      await records.close();
      await database.close();
    });
  };
  let lock: ReturnType<typeof lockFile> | undefined;
  let stopped: Promise<void> | undefined;
  return {
    node,
    records,
    fallen,
    start: async () => {
      // Whoever starts takes over the hosts below this directory: two at once would take them from each other.
      lock = lockFile(
        join(config.dataDir, 'node.lock'),
        'stop it or choose another data directory',
      );
      await hosts.start();
      await node.raise(tree);
      await disk.start();
    },
    drain: () => node.drain(),
    stop: () => {
      stopped ??= stopParts();
      return stopped;
    },
  };
}

/** The supervision tree over this node's parts; `fallen` resolves when its root could not be kept alive. */
function treeOf({
  node,
  leash,
  records,
  finish,
  log,
}: {
  readonly node: KennelNode;
  readonly leash: Leash;
  readonly records: Store;
  readonly finish: Finish;
  readonly log: Log;
}) {
  const { promise: fallen, resolve: fall } = Promise.withResolvers<unknown>();
  const tree = supervisionTree({
    ports: {
      now: clock.now,
      elapsed: clock.elapsed,
      random: Math.random,
      leash,
      store: records,
      finish: serialFinish(finish),
      policy: POLICY,
    },
    clock: { setTimeout, clearTimeout },
    unfinished: async () => node.jobIds(),
    onFall: ({ error, crashes, delayMs }) =>
      log('error', 'the root of the tree fell', { error: messageOf(error), crashes, delayMs }),
    onSpent: fall,
    onRelease: node.released,
  });
  return { tree, fallen };
}

/** A server that went silent keeps the last question open for as long as a minute: nobody waits for that. */
async function closeInTime(close: () => Promise<void>): Promise<void> {
  const closed = new AbortController();
  const closing = close().finally(() => closed.abort());
  await Promise.race([closing, pause(clock, DATABASE_CLOSE_WAIT_MS, closed.signal)]);
}

async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw destinationError(error, 'make the data directory', directory);
  }
}

const logDirectoryOf = ({ dataDir }: Config): string => join(dataDir, 'log');

/** The processes that record. */
const recorderHosts = (config: Config, log: Log) =>
  hostPool({
    runDirectory: join(config.dataDir, 'run'),
    logDirectory: logDirectoryOf(config),
    hosts: config.hosts,
    limits: { memoryBytesMax: config.hostMemoryMiB * 1024 ** 2 },
    environment: hostEnvironment(config),
    clock,
    log,
  });

/** What makes files of segments and brings them to their place. */
async function finishing(config: Config, log: Log) {
  const { ffmpeg: given, searchPath, dataDir } = config;
  const { findFfmpeg } = await import('./media/findFfmpeg.ts');
  const { finishRecording } = await import('./media/finishRecording.ts');
  const ffmpeg = await findFfmpeg({ searchPath, ...(given !== undefined && { given }) });
  return finishRecording({
    directoryOf: (jobId) => recordingDirectory(dataDir, jobId),
    storageFor: diskStorage,
    ...(ffmpeg && { ffmpeg }),
    kennel: version(),
    node: hostname(),
    log: (message, fields) => log('info', message, fields),
  });
}

/** Where a finished job's files are, absolute, the manifest last. */
async function storedFiles(directory: string): Promise<readonly string[]> {
  const { FINISH_DIRECTORY } = await import('./media/finishRecording.ts');
  const receipt = await readReceipt(join(directory, FINISH_DIRECTORY));
  return receipt?.keys.map((key) => join(receipt.root, key)) ?? [];
}
