import { CommanderError } from 'commander';
import { adhocOrder, runningMode } from '../config/adhocOrder.ts';
import { isKennelError } from '../core/errors.ts';
import { exitCodeOfError } from '../jobs/exitCode.ts';
import { commandLine } from './commandLine.ts';
import type { CliContext } from './context.ts';
import { linkArguments } from './linkArguments.ts';
import { terminal } from './terminal.ts';

const EXIT_USAGE = 64;
const EXIT_BUG = 70;

/**
 * Runs one command line. Resolves with the exit code; never rejects.
 *
 * @param argv the arguments after the program's name
 */
export async function runCli(
  argv: readonly string[],
  outer: Omit<CliContext, 'terminal'>,
): Promise<number> {
  const context: CliContext = { ...outer, terminal: terminal(outer.env) };
  try {
    let exitCode = 0;
    const program = commandLine(context, (code) => {
      exitCode = code;
    });
    await program.parseAsync(await argumentsOf(argv, context), { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, context);
  }
}

/** Without arguments the environment may say what to do. */
async function argumentsOf(argv: readonly string[], { env }: CliContext): Promise<string[]> {
  if (argv.length > 0) return linkArguments(argv);
  if (runningMode(env) === 'api') return ['serve'];
  const order = adhocOrder(env);
  if (!order) return ['--help'];
  const { url, quality, fallbacks = [], allow = [], dual, audio, audioOnly } = order;
  const texts = {
    '--duration': order.duration,
    '--output': order.output,
    '--wait': order.wait,
    '--subtitles': order.subtitles,
    '--proxy': order.proxy,
    '--recorder': order.recorder,
    '--format': order.format,
    '--cookies': order.cookies,
    '--bandwidth': order.bandwidth,
    '--first-media': order.firstMedia,
    '--stale-after': order.staleAfter,
  };
  return [
    'record',
    ...Object.entries(texts).flatMap(([option, text]) => (text ? [`${option}=${text}`] : [])),
    ...fallbacks.map((fallback) => `--fallback=${fallback}`),
    ...allow.map((address) => `--allow=${address}`),
    ...(dual ? ['--dual'] : []),
    ...(audioOnly ? ['--audio'] : audio ? [`--audio=${audio}`] : []),
    '--',
    url,
    ...(quality ? [quality] : []),
  ];
}

/** One clear line for a person; the code and its facts for a program. */
function report(error: unknown, { terminal: { err } }: CliContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (isKennelError(error)) {
    err(`kennel: ${error.message} [${error.code}]`);
    return exitCodeOfError(error.code);
  }
  err(`kennel: this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  return EXIT_BUG;
}
