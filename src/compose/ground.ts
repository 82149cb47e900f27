import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { hostEnvironment } from '../config/hostSettings.ts';
import type { Config } from '../config/schema.ts';
import { systemClock as clock, pause } from '../core/clock.ts';
import type { Log, LogLevel } from '../core/log.ts';
import { openDatabase } from '../db/database.ts';
import { lockFile } from '../db/pglite/lock.ts';
import { hostPool } from '../hosts/hostPool.ts';
import { fileLog, leastLevel } from '../observability/logger.ts';
import { destinationError } from '../storage/destinationError.ts';

/** Closing an embedded database takes well under a second, and a server's connections are given 5 s. */
const DATABASE_CLOSE_WAIT_MS = 7_000;

export async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw destinationError(error, 'make the data directory', directory);
  }
}

const logDirectoryOf = ({ dataDir }: Config): string => join(dataDir, 'log');

/** @param level asked for each line: it may change */
export const nodeLog = (config: Config, level: () => LogLevel): Log =>
  leastLevel(fileLog({ directory: logDirectoryOf(config), level: 'debug' }), level);

/** Whoever runs jobs takes over the hosts below this directory: two at once would take them from each other. */
export const lockNode = ({ dataDir }: Config): { release(): void } =>
  lockFile(join(dataDir, 'node.lock'), 'stop it or choose another data directory');

export const databaseOf = (config: Config, log: Log) =>
  openDatabase({
    url: config.databaseUrl?.reveal(),
    directory: config.dataDir,
    legalMoves: LEGAL_MOVES,
    log,
  });

/** The processes that record. */
export const recorderHosts = (config: Config, log: Log) =>
  hostPool({
    runDirectory: join(config.dataDir, 'run'),
    logDirectory: logDirectoryOf(config),
    hosts: config.hosts,
    limits: { memoryBytesMax: config.hostMemoryMiB * 1024 ** 2 },
    environment: hostEnvironment(config),
    clock,
    log,
  });

/** A server that went silent keeps the last question open for as long as a minute: nobody waits for that. */
export async function closeInTime(close: () => Promise<void>): Promise<void> {
  const closed = new AbortController();
  const closing = close().finally(() => closed.abort());
  await Promise.race([closing, pause(clock, DATABASE_CLOSE_WAIT_MS, closed.signal)]);
}
