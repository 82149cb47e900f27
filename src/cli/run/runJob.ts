import type { Config } from '../../config/schema.ts';
import { isKennelError, KennelError } from '../../core/errors.ts';
import type { KennelNode } from '../../jobs/node.ts';
import type { CliContext, Kennel } from '../context.ts';
import { databaseGone } from './databaseWatch.ts';
import { eventTeller } from './eventTeller.ts';
import { listenForSignals, type Signals } from './signals.ts';
import { StatusLine } from './statusLine.ts';

export interface RunOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const STATUS_MS = 500;
const EXIT_BUG = 70;

interface Run {
  readonly context: CliContext;
  readonly kennel: Kennel;
  readonly config: Config;
  readonly options: RunOptions;
  readonly signals: Signals;
  /** Hands the job to the node and answers with its id. */
  take(kennel: Kennel): Promise<string>;
}

/**
 * Runs the supervision tree for one job and tells about it until it has ended. A signal lets the job finish well, and the
 * exit code is then 128 and the signal's number; a second one ends everything at once and leaves the job resumable.
 *
 * @param take hands the job to the node and answers with its id
 */
export async function runJob(
  context: CliContext,
  { config, ...options }: RunOptions & { readonly config: Config },
  take: (kennel: Kennel) => Promise<string>,
): Promise<number> {
  const kennel = await context.compose(config);
  const signals = listenForSignals();
  const over = new AbortController();
  try {
    const said = tell(context, kennel.node, options);
    const run: Run = { context, kennel, config, options, signals, take };
    const ending = await Promise.race([
      finished(run, over.signal),
      kennel.fallen.then(() => 'fallen' as const),
      signals.second.then(() => 'at once' as const),
      outage(run, over.signal),
    ]);
    if (ending === 'fallen') {
      context.terminal.err('kennel: the supervision tree could not be kept alive; see the log.');
      return EXIT_BUG;
    }
    return signals.exitCode() ?? said.exitCode() ?? EXIT_BUG;
  } finally {
    over.abort();
    await kennel.stop();
    signals.stop();
  }
}

/** Starts everything, takes the job, and waits for its end. */
async function finished(run: Run, over: AbortSignal): Promise<'finished' | 'not begun'> {
  const { context, kennel, signals, take } = run;
  const isAsked = await Promise.race([
    kennel.start().then(() => false),
    signals.first.then(() => true),
  ]);
  if (isAsked) {
    context.terminal.err('it was asked to end before the job was begun');
    return 'not begun';
  }
  void signals.first.then((signal) => {
    context.terminal.err(`${signal}: finishes what is recorded; once more ends at once`);
    void kennel.drain();
  });
  try {
    const jobId = await take(kennel);
    showStatus(run, jobId, over);
    await kennel.node.ended(jobId);
    return 'finished';
  } catch (error) {
    // The node takes no job once it has been asked to end.
    const isRefused = isKennelError(error) && error.code === 'job.conflict';
    if (!isRefused || signals.exitCode() === undefined) throw error;
    context.terminal.err(`kennel: ${error.message}`);
    return 'not begun';
  }
}

/** Rejects when the database stays away after somebody has asked the process to end. */
async function outage({ kennel, config, signals }: Run, over: AbortSignal): Promise<never> {
  await signals.first;
  await databaseGone(kennel.records, over);
  throw new KennelError(
    'database.unavailable',
    `The database does not answer, so the end of the job cannot be written. What is recorded is safe in ${config.dataDir}; ` +
      'the same command, or "kennel resume", goes on once the database is back.',
    { retryable: true },
  );
}

/** Tells of everything that happens, and remembers with which exit code it ended. */
function tell({ terminal }: CliContext, node: KennelNode, options: RunOptions) {
  let exitCode: number | undefined;
  const tellEvent = eventTeller(terminal, options);
  node.feed.subscribe((event) => {
    if (event.type === 'job.ended') exitCode = event.exitCode;
    tellEvent(event);
  });
  return { exitCode: () => exitCode };
}

/** Shows how the recording is doing until `over`. */
function showStatus(run: Run, jobId: string, over: AbortSignal): void {
  const { terminal } = run.context;
  if (!terminal.isLive || run.options.json || run.options.quiet) return;
  const line = new StatusLine(run.config.dataDir);
  const show = async () => {
    const status = run.kennel.node.status(jobId);
    const text = status ? await line.text(status, Date.now()) : '';
    if (!over.aborted) terminal.status(text);
  };
  const timer = setInterval(() => void show(), STATUS_MS);
  over.addEventListener('abort', () => {
    clearInterval(timer);
    terminal.status('');
  });
}
