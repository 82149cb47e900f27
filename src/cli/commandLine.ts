import { Command } from 'commander';
import type { CliContext } from './context.ts';
import { version } from './version.ts';

const EXIT_CODES = `
Exit codes:
  0 complete · 3 finished with named gaps · 4 truncated (it ended before what was asked for)
  64 usage · 65 not a playlist that can be recorded · 66 no such stream or job · 69 source unavailable
  70 internal · 73 cannot create the output · 74 disk or input/output · 75 busy, try later · 77 refused
  78 configuration · 130/143 after SIGINT/SIGTERM, once what was recorded is finalised
Settings: kennel.toml (--config, KENNEL_CONFIG), and variables; docs/configuration.md has all of them.
Environment: KENNEL_DATA_DIR, DATABASE_URL, KENNEL_HOSTS, KENNEL_HOST_MEMORY_MIB, KENNEL_LOG_LEVEL,
  KENNEL_FFMPEG, KENNEL_YTDLP, KENNEL_STREAMLINK, KENNEL_ALLOW, KENNEL_SANDBOX, KENNEL_TOOL_MEMORY_MIB,
  NODE_EXTRA_CA_CERTS, NO_COLOR; RUNNING_MODE=api starts the service;
  RUNNING_MODE=adhoc MANIFEST_URL=… [QUALITY=… DURATION=… OUTPUT=… FALLBACK_URLS=… DUAL=1 AUDIO=… AUDIO_ONLY=1
  SUBTITLES=… PROXY_URL=… RECORDER=… FORMAT=… COOKIES=… ALLOW=… BANDWIDTH=… WAIT=… FIRST_MEDIA=… STALE_AFTER=…]
  records without arguments; several fallbacks and allowed addresses are separated by white space.`;

/** A command's work: resolves with its exit code. */
type Done = (exitCode: number) => void;

/** Every command with its options. What a command does is loaded when it is asked for. */
export function commandLine(context: CliContext, done: Done): Command {
  const program = new Command('kennel')
    .description('Records live streams, unattended, and proves what it has.')
    .version(version())
    .showHelpAfterError('(kennel --help tells more)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  addRecordingCommands(program, context, done);
  addAskingCommands(program, context, done);
  addCheckingCommands(program, context, done);
  addServiceCommands(program, context, done);
  return program;
}

function addRecordingCommands(program: Command, context: CliContext, done: Done): void {
  const recording = (command: Command) =>
    command
      .option('--data-dir <directory>', 'where recordings, journals and the database live')
      .option('--json', 'print every event as one JSON object a line')
      .option('-q, --quiet', 'print nothing but the result');

  recording(program.command('record <url> [quality]'))
    .description(
      'record a stream, or what a page shows, until it ends, until the time is up, or until a signal',
    )
    .option('-o, --output <path>', 'file, or directory with a slash behind (default: here)')
    .option('-d, --duration <time>', 'how long: 90, 90s, 5m, 1h30m, 01:30:00')
    .option(
      '--until <time>',
      'when to end at the latest: 20:15 (local, the next one), 2026-11-21T20:15+01:00',
    )
    .option('--wait [time]', 'wait for a stream that is not there yet (default: 24h)')
    .option('--patience <time>', 'how long the source may be silent before it counts as gone (2m)')
    .option('--fallback <url>', 'another link to the same stream; may be repeated', collect, [])
    .option('--dual', 'record all links at once: what one lacks is taken from another')
    .option(
      '--audio [wishes]',
      'separate audio: default, all, or languages and names (en,de); without wishes: nothing but the sound',
    )
    .option('--subtitles <wishes>', 'subtitles: all (the default), none, or languages and names')
    .option('--header <"Name: value">', 'request header; may be repeated', collect, [])
    .option('--proxy <url>', 'HTTP proxy for everything: http://[user:password@]host:port')
    .option(
      '--recorder <name>',
      'who records: native, yt-dlp, ffmpeg, … (default: whoever does it best)',
    )
    .option('--format <filter>', "which format of a page, in the words of yt-dlp's -f")
    .option(
      '--cookies <file>',
      'cookies for the link and what it leads to, as a Netscape cookies.txt',
    )
    .option(
      '--allow <address>',
      'may be reached although it is not public: CIDR, address or host, with :port or without; may be repeated',
      collect,
      [],
    )
    .option(
      '--bandwidth <rate>',
      'how much a program may fetch: 20M (bits a second), 2.5MB (bytes)',
    )
    .option('--first-media <time>', 'how long a program may go without its first media')
    .option('--stale-after <time>', 'how long a program may go without new media')
    .option('--keep-segments', 'keep the segments after the file is verified and stored')
    .action(async (url: string, quality: string | undefined, options) => {
      const { record } = await import('./commands/record.ts');
      done(await record(context, { url, quality, ...options }));
    });
  recording(program.command('resume <id>'))
    .description('go on with an unfinished job')
    .action(async (id: string, options) => {
      const { resume } = await import('./commands/resume.ts');
      done(await resume(context, { id, ...options }));
    });
}

function addAskingCommands(program: Command, context: CliContext, done: Done): void {
  program
    .command('proof <id>')
    .description('what a recording has, from its journal: advertised = stored + lost, and why')
    .option('--data-dir <directory>', 'where recordings live')
    .option('--json', 'as JSON (the default when piped)')
    .option('--verify', 'also hash every segment that is still on disk')
    .action(async (id: string, options) => {
      const { proof } = await import('./commands/proof.ts');
      done(await proof(context, { id, ...options }));
    });
  program
    .command('jobs')
    .description('list jobs, newest first')
    .option('--data-dir <directory>', 'where the database lives')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'as JSON, one object a line')
    .action(async (options) => {
      const { jobs } = await import('./commands/jobs.ts');
      done(await jobs(context, options));
    });
  program
    .command('why <id>')
    .description('every move and decision of a job, with its evidence')
    .option('--data-dir <directory>', 'where the database lives')
    .option('--json', 'as JSON, one object a line')
    .action(async (id: string, options) => {
      const { why } = await import('./commands/why.ts');
      done(await why(context, { id, ...options }));
    });
}

function addCheckingCommands(program: Command, context: CliContext, done: Done): void {
  program
    .command('probe <url-or-file>')
    .description('what is behind a link or in a media file, and who would record it')
    .option('--json', 'as JSON (the default when piped)')
    .option('--quality <wishes>', 'as for record')
    .option('--format <filter>', "which format of a page, in the words of yt-dlp's -f")
    .option('--header <"Name: value">', 'request header; may be repeated', collect, [])
    .option('--cookies <file>', 'cookies for the link, as a Netscape cookies.txt')
    .option('--proxy <url>', 'HTTP proxy for everything: http://[user:password@]host:port')
    .option('--allow <address>', 'may be reached although it is not public', collect, [])
    .action(async (target: string, options) => {
      const { probe } = await import('./commands/probe.ts');
      done(await probe(context, { target, ...options }));
    });
  program
    .command('doctor')
    .description('check this machine: tools, database, disk, and what to mend')
    .option('--data-dir <directory>', 'where recordings live')
    .option('--json', 'as JSON')
    .action(async (options) => {
      const { doctor } = await import('./commands/doctor.ts');
      done(await doctor(context, options));
    });
}

function addServiceCommands(program: Command, context: CliContext, done: Done): void {
  program
    .command('serve')
    .description('run the service: jobs come in over its API, wait for room, and are recorded')
    .option('--config <file>', 'settings (default: kennel.toml here or in the data directory)')
    .option('--data-dir <directory>', 'where recordings, journals and the database live')
    .option('--host <address>', 'address to listen at; any but loopback demands keys')
    .option('--port <number>', 'port to listen at')
    .option('--socket <path>', 'unix socket to listen at instead')
    .option('-q, --quiet', 'print nothing but the first key')
    .action(async (options) => {
      const { serve } = await import('./commands/serve.ts');
      done(await serve(context, options));
    });
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
