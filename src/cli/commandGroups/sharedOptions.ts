import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

/** What a group of commands needs: `done` takes the exit code of the command that ran. */
export interface Group {
  readonly context: CliContext;
  done(exitCode: number): void;
}

/** For options that may be repeated. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [
  ...before,
  value,
];

/** Of every command that can speak to a service. There is none for the key itself: everybody on a machine sees arguments. */
export const withServer = (command: Command): Command =>
  command
    .option(
      '--server <url>',
      'service to ask (KENNEL_SERVER): http://host:port, https://host, unix:/path; default: the one that runs on the data directory',
    )
    .option(
      '--key-file <file>',
      'file with the key for it (also KENNEL_API_KEY_FILE, KENNEL_API_KEY)',
    )
    .option('--data-dir <directory>', 'where recordings, journals and the database live')
    .option('--json', 'as JSON, one object a line');

/** What is to be recorded, here or by a service. */
export const withRecording = (command: Command): Command =>
  command
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
    .option('--keep-segments', 'keep the segments after the file is verified and stored');

/** The same, with when it ends. */
export const withJob = (command: Command): Command =>
  withRecording(command)
    .option('-d, --duration <time>', 'how long: 90, 90s, 5m, 1h30m, 01:30:00')
    .option(
      '--until <time>',
      'when to end at the latest: 20:15 (local, the next one), +2h, 2026-11-21T20:15+01:00',
    );

/** How a job stands in the queue of a service. */
export const withTerms = (command: Command): Command =>
  command
    .option('--priority <n>', 'from -100 to 100; higher goes first')
    .option('--no-queue', 'where there is no room then, do not wait for it')
    .option('--retries <n>', 'how often to try again when it fails')
    .option('--retry-delay <time>', 'before the first of these tries; doubled each time (1m)')
    .option('--label <name:value>', 'to find it by again; may be repeated', collect, [])
    .option('--allow-duplicate', 'although another unfinished job records the same')
    .option(
      '-o, --output <path>',
      "file, or directory with a slash behind, below the service's own",
    );
