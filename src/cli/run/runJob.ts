import { constants } from 'node:os';
import type { Config } from '../../config/schema.ts';
import type { KennelEvent } from '../../jobs/events.ts';
import type { KennelNode } from '../../jobs/node.ts';
import type { CliContext, Kennel } from '../context.ts';
import { sentenceOf, summaryOf } from './sentences.ts';
import { StatusLine } from './statusLine.ts';

export interface RunOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const STATUS_MS = 500;
const EXIT_BUG = 70;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
  const signals = listen(kennel, context);
  try {
    const said = tell(context, kennel.node, options);
    await kennel.start();
    const jobId = await take(kennel);
    const stopStatus = showStatus(context, { node: kennel.node, jobId, config, options });
    const outcome = await Promise.race([
      kennel.node.ended(jobId),
      kennel.fallen.then(() => 'fallen' as const),
      signals.second.then(() => 'at once' as const),
    ]);
    stopStatus();
    if (outcome === 'at once') return signals.exitCode() ?? EXIT_BUG;
    if (outcome === 'fallen') {
      context.terminal.err('kennel: the supervision tree could not be kept alive; see the log.');
      return EXIT_BUG;
    }
    return signals.exitCode() ?? said.exitCode() ?? EXIT_BUG;
  } finally {
    signals.stop();
    await kennel.stop();
  }
}

function listen(kennel: Kennel, { terminal }: CliContext) {
  let first: (typeof SIGNALS)[number] | undefined;
  const { promise: second, resolve } = Promise.withResolvers<void>();
  const hear = (signal: (typeof SIGNALS)[number]) => {
    if (first) return resolve();
    first = signal;
    terminal.err(`${signal}: finishes what is recorded; once more ends at once`);
    void kennel.drain();
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  return {
    second,
    exitCode: () => (first ? 128 + constants.signals[first] : undefined),
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, hear);
    },
  };
}

/** Prints events as they come: sentences for a person, JSON for a program. */
function tell({ terminal }: CliContext, node: KennelNode, options: RunOptions) {
  let exitCode: number | undefined;
  node.feed.subscribe((event: KennelEvent) => {
    if (event.type === 'job.ended') exitCode = event.exitCode;
    if (options.json) return terminal.out(JSON.stringify(event));
    const sentence = options.quiet ? undefined : sentenceOf(event);
    if (sentence) terminal.err(`${terminal.style('dim', event.at.slice(11, 23))} ${sentence}`);
    if (event.type === 'job.ended') for (const line of summaryOf(event)) terminal.out(line);
  });
  return { exitCode: () => exitCode };
}

function showStatus(
  { terminal }: CliContext,
  run: { node: KennelNode; jobId: string; config: Config; options: RunOptions },
): () => void {
  if (!terminal.isLive || run.options.json || run.options.quiet) return () => undefined;
  const line = new StatusLine(run.config.dataDir);
  const show = async () => {
    const status = run.node.status(run.jobId);
    if (status) terminal.status(await line.text(status, Date.now()));
  };
  const timer = setInterval(() => void show(), STATUS_MS);
  return () => {
    clearInterval(timer);
    terminal.status('');
  };
}
