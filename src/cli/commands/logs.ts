import type { KennelClient } from '../../client/kennelClient.ts';
import { systemClock as clock, pause } from '../../core/clock.ts';
import type { CliContext } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { findJob } from '../remote/findJob.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { listenForSignals } from '../run/signals.ts';

export interface LogsOptions extends ServerOptions {
  readonly id: string;
  readonly lines: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** As many as the API gives at once. */
const LINES_MAX = 2_000;
/** How often a log is looked at again, milliseconds. Events are heard at once: `kennel watch`. */
const LOOK_EVERY_MS = 1_000;
/** pino's. */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** `kennel logs ID [-f]`: what was logged about a job. */
export async function logs(context: CliContext, options: LogsOptions): Promise<number> {
  const { terminal } = context;
  const count = wholeNumber('--lines', options.lines, [1, LINES_MAX]);
  const client = await demandServer(context, options);
  const jobId = await findJob(client, options.id);
  const tell = (line: LogLine) =>
    terminal.out(options.json ? JSON.stringify(line) : logLine(line, jobId));
  let told = await linesOf(client, jobId, count);
  told.forEach(tell);
  if (!options.follow) return 0;
  const signals = listenForSignals();
  const over = new AbortController();
  const isOver = () => over.signal.aborted;
  void signals.first.then(() => over.abort());
  try {
    while (!isOver()) {
      await pause(clock, LOOK_EVERY_MS, over.signal);
      if (isOver()) break;
      const now = await linesOf(client, jobId, LINES_MAX);
      newLines(told, now).forEach(tell);
      told = now;
    }
    return 0;
  } finally {
    signals.stop();
  }
}

type LogLine = Readonly<Record<string, unknown>>;

async function linesOf({ api }: KennelClient, jobId: string, count: number) {
  const query = { lines: String(count) };
  return (await (await api.jobs[':jobId'].logs.$get({ param: { jobId }, query })).json()).lines;
}

/** What `now` has behind the end of `told`: all of it when nothing of that is left. */
export function newLines(told: readonly LogLine[], now: readonly LogLine[]): readonly LogLine[] {
  const last = told.at(-1);
  if (last === undefined) return now;
  const text = JSON.stringify(last);
  return now.slice(now.findLastIndex((line) => JSON.stringify(line) === text) + 1);
}

/** `12:00:00.000 info  the message  {"other":"facts"}` */
function logLine(line: LogLine, job: string): string {
  const { time, level, msg, jobId, pid: _pid, hostname: _hostname, ...facts } = line;
  const at = typeof time === 'number' || typeof time === 'string' ? new Date(time) : undefined;
  const others = { ...(jobId !== job && { jobId }), ...facts };
  return [
    at && !Number.isNaN(at.getTime()) ? at.toISOString() : '',
    (LEVELS[Number(level)] ?? String(level ?? '')).padEnd(5),
    String(msg ?? ''),
    Object.keys(others).length > 0 ? JSON.stringify(others) : '',
  ]
    .filter((part) => part !== '')
    .join('  ');
}
