import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { LOG_LEVELS, type Log, type LogLevel } from '../core/log.ts';

/** At start, a log file of more than this many bytes makes way for a new one; one old file is kept. */
const LOG_BYTES_MAX = 32 * 1024 * 1024;

export interface LoggerOptions {
  /** The log is `kennel.log` in this directory, one JSON object a line. */
  readonly directory: string;
  readonly level: LogLevel;
}

/**
 * The node's log. Messages are fixed sentences, data is in fields (`jobId`, `attempt`, `dog`, …). Written at once, so that
 * the last lines before a crash are there.
 */
export function fileLog({ directory, level }: LoggerOptions): Log {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'kennel.log');
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX)
    renameSync(file, `${file}.1`);
  const destination = pino.destination({ dest: file, sync: true });
  // A log that cannot be written (its disk is full) costs lines, never a recording; there is no other place to say so.
  destination.on('error', () => undefined);
  const logger = pino({ level, base: { pid: process.pid } }, destination);
  return (at, message, fields) => logger[at](fields, message);
}

/** Leaves out what is less important than the level that holds when a line is written. */
export const leastLevel =
  (log: Log, level: () => LogLevel): Log =>
  (at, message, fields) => {
    if (LOG_LEVELS.indexOf(at) >= LOG_LEVELS.indexOf(level())) log(at, message, fields);
  };
