import type { Command } from 'commander';
import { collect, type Group } from './sharedOptions.ts';

/** Commands about this machine: what it can record, and the service that it runs. */
export function addMachineCommands(program: Command, { context, done }: Group): void {
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
      const { serve } = await import('../commands/serve.ts');
      done(await serve(context, options));
    });
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
      const { probe } = await import('../commands/probe.ts');
      done(await probe(context, { target, ...options }));
    });
  program
    .command('doctor')
    .description('check this machine: tools, database, disk, and what to mend')
    .option('--data-dir <directory>', 'where recordings live')
    .option('--json', 'as JSON')
    .action(async (options) => {
      const { doctor } = await import('../commands/doctor.ts');
      done(await doctor(context, options));
    });
  program
    .command('completion <shell>')
    .description('print what completes commands in bash, zsh or fish')
    .action(async (shell: string) => {
      const { completion } = await import('../commands/completion.ts');
      done(completion(context, program, shell));
    });
}
