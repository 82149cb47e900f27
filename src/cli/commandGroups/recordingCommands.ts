import type { Command } from 'commander';
import { type Group, withJob } from './sharedOptions.ts';

/** Commands that record in this process. */
export function addRecordingCommands(program: Command, { context, done }: Group): void {
  const recording = (command: Command) =>
    command
      .option('--data-dir <directory>', 'where recordings, journals and the database live')
      .option('--json', 'print every event as one JSON object a line')
      .option('-q, --quiet', 'print nothing but the result');

  withJob(recording(program.command('record <url> [quality]')))
    .description(
      'record a stream, or what a page shows, until it ends, until the time is up, or until a signal',
    )
    .option('-o, --output <path>', 'file, or directory with a slash behind (default: here)')
    .action(async (url: string, quality: string | undefined, options) => {
      const { record } = await import('../commands/record.ts');
      done(await record(context, { url, quality, ...options }));
    });
  recording(program.command('resume <id>'))
    .description('go on with an unfinished job')
    .action(async (id: string, options) => {
      const { resume } = await import('../commands/resume.ts');
      done(await resume(context, { id, ...options }));
    });
}
