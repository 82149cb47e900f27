import { Command, CommanderError } from 'commander';
import { adhocOrder } from '../config/load.ts';
import { isKennelError } from '../core/errors.ts';
import { exitCodeOfError } from '../jobs/exitCode.ts';
import type { CliContext } from './context.ts';
import { terminal } from './terminal.ts';
import { version } from './version.ts';

const EXIT_USAGE = 64;
const EXIT_BUG = 70;

const EXIT_CODES = `
Exit codes:
  0 complete · 3 finished with named gaps · 4 truncated (it ended before what was asked for)
  64 usage · 65 not a playlist that can be recorded · 66 no such stream or job · 69 source unavailable
  70 internal · 73 cannot create the output · 74 disk or input/output · 75 busy, try later · 77 refused
  78 configuration · 130/143 after SIGINT/SIGTERM, once what was recorded is finalised
Environment: KENNEL_DATA_DIR, DATABASE_URL, KENNEL_HOSTS, KENNEL_LOG_LEVEL, KENNEL_FFMPEG, NO_COLOR;
  RUNNING_MODE=adhoc MANIFEST_URL=… [QUALITY=… DURATION=… OUTPUT=…] records without arguments.`;

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
  if (argv.length > 0) return [...argv];
  const order = adhocOrder(env);
  if (!order) return ['--help'];
  const { url, quality, duration, output } = order;
  return [
    'record',
    ...(duration ? ['--duration', duration] : []),
    ...(output ? ['--output', output] : []),
    '--',
    url,
    ...(quality ? [quality] : []),
  ];
}

function commandLine(context: CliContext, done: (exitCode: number) => void): Command {
  const program = new Command('kennel')
    .description('Records live streams, unattended, and proves what it has.')
    .version(version())
    .showHelpAfterError('(kennel --help tells more)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();

  const recording = (command: Command) =>
    command
      .option('--data-dir <directory>', 'where recordings, journals and the database live')
      .option('--json', 'print every event as one JSON object a line')
      .option('-q, --quiet', 'print nothing but the result');

  recording(program.command('record <url> [quality]'))
    .description('record an HLS link until it ends, until the duration is over, or until a signal')
    .option('-o, --output <path>', 'file, or directory with a slash behind (default: here)')
    .option('-d, --duration <time>', 'how long: 90, 90s, 5m, 1h30m, 01:30:00')
    .option('--wait [time]', 'wait for a stream that is not there yet (default: 24h)')
    .option('--patience <time>', 'how long the source may be silent before it counts as gone (2m)')
    .option('--header <"Name: value">', 'request header; may be repeated', collect, [])
    .option('--keep-segments', 'keep the segments after the file is verified and stored')
    .action(async (url: string, quality: string | undefined, options) =>
      done(
        await (await import('./commands/record.ts')).record(context, { url, quality, ...options }),
      ),
    );
  recording(program.command('resume <id>'))
    .description('go on with an unfinished job')
    .action(async (id: string, options) =>
      done(await (await import('./commands/resume.ts')).resume(context, { id, ...options })),
    );
  program
    .command('proof <id>')
    .description(
      'what a recording has, from its journal: advertised = stored + lost, each gap with its cause',
    )
    .option('--data-dir <directory>', 'where recordings live')
    .option('--json', 'as JSON (the default when piped)')
    .option('--verify', 'also hash every segment that is still on disk')
    .action(async (id: string, options) =>
      done(await (await import('./commands/proof.ts')).proof(context, { id, ...options })),
    );
  program
    .command('jobs')
    .description('list jobs, newest first')
    .option('--data-dir <directory>', 'where the database lives')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'as JSON, one object a line')
    .action(async (options) =>
      done(await (await import('./commands/jobs.ts')).jobs(context, options)),
    );
  program
    .command('why <id>')
    .description('every move and decision of a job, with its evidence')
    .option('--data-dir <directory>', 'where the database lives')
    .option('--json', 'as JSON, one object a line')
    .action(async (id: string, options) =>
      done(await (await import('./commands/why.ts')).why(context, { id, ...options })),
    );
  program
    .command('probe <url-or-file>')
    .description('what a playlist or media file holds, as JSON')
    .option('--header <"Name: value">', 'request header; may be repeated', collect, [])
    .action(async (target: string, options) =>
      done(await (await import('./commands/probe.ts')).probe(context, { target, ...options })),
    );
  program
    .command('doctor')
    .description('check this machine: tools, database, disk, and what to mend')
    .option('--data-dir <directory>', 'where recordings live')
    .option('--json', 'as JSON')
    .action(async (options) =>
      done(await (await import('./commands/doctor.ts')).doctor(context, options)),
    );
  return program;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

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
