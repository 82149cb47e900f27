import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { Log } from '../../core/log.ts';

/** A host's log file ends here; by then something is wrong that its first part explains. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;

const STANDARD_OUTPUT = 1;

/** Logs to standard output, which is the host's log file; synchronous, so that the last line before an exit is there. */
export function hostLog(hostId: string): Log {
  let written = 0;
  const logger = pino(
    { base: { hostId, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write(line: string) {
        if (written > LOG_BYTES_MAX) return;
        try {
          written += writeSync(STANDARD_OUTPUT, line);
        } catch {
          // A log that cannot be written (its disk is full) costs lines, never a recording; there is no other place to say so.
        }
      },
    },
  );
  return (level, message, fields) => logger[level](fields, message);
}
