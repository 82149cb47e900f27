import type { Command } from 'commander';
import { collect, type Group, withJob, withServer, withTerms } from './sharedOptions.ts';

/** Commands about jobs: of a service, and the first three also of a data directory that nobody serves. */
export function addJobCommands(program: Command, group: Group): void {
  addAskingCommands(program, group);
  addSubmit(program, group);
  addOrders(program, group);
  addListening(program, group);
}

function addAskingCommands(program: Command, { context, done }: Group): void {
  withServer(program.command('proof <id>'))
    .description('what a recording has, from its journal: advertised = stored + lost, and why')
    .option('--verify', 'also hash every segment that is still on disk')
    .action(async (id: string, options) => {
      const { proof } = await import('../commands/proof.ts');
      done(await proof(context, { id, ...options }));
    });
  withServer(program.command('jobs'))
    .description('list jobs, newest first')
    .option('--limit <n>', 'how many', '20')
    .option('--state <state>', 'only those; may be repeated', collect, [])
    .option('--label <name:value>', 'only those that have it; may be repeated', collect, [])
    .action(async (options) => {
      const { jobs } = await import('../commands/jobs.ts');
      done(await jobs(context, options));
    });
  withServer(program.command('why <id>'))
    .description('every move and decision of a job, with its evidence')
    .action(async (id: string, options) => {
      const { why } = await import('../commands/why.ts');
      done(await why(context, { id, ...options }));
    });
}

function addSubmit(program: Command, { context, done }: Group): void {
  withTerms(withJob(withServer(program.command('submit <url> [quality]'))))
    .description('have a service record a stream, now or later')
    .option('--end-at <time>', 'the same as --until')
    .option('--start-at <time>', 'when it may begin: +2h, 20:15, 2026-11-21T20:15+01:00')
    .option('--expires <time>', 'when waiting is over')
    .option('--callback <url>', 'webhook that is told of everything that happens to it')
    .option('--idempotency-key <key>', 'submitting again with the same one makes no second job')
    .option('-f, --follow', 'tell of it until it has ended, and exit as it does')
    .option('-q, --quiet', 'print nothing but the id, or with --follow the result')
    .action(async (url: string, quality: string | undefined, options) => {
      const { submit } = await import('../commands/submit.ts');
      done(await submit(context, { url, quality, ...options }));
    });
}

function addOrders(program: Command, { context, done }: Group): void {
  const order = (command: Command) =>
    withServer(command).option(
      '-f, --follow',
      'tell of it until it has ended, and exit as it does',
    );

  order(program.command('stop <id>'))
    .description('finish a job well: what is recorded is joined, verified and stored')
    .action(async (id: string, options) => {
      const { stop } = await import('../commands/stop.ts');
      done(await stop(context, { id, ...options }));
    });
  order(program.command('kill <id>'))
    .description('end a job now; what is on the disk stays there, and nothing is finished')
    .action(async (id: string, options) => {
      const { kill } = await import('../commands/kill.ts');
      done(await kill(context, { id, ...options }));
    });
  order(program.command('retry <id>'))
    .description('try a job that has ended again, as a new job')
    .action(async (id: string, options) => {
      const { retry } = await import('../commands/retry.ts');
      done(await retry(context, { id, ...options }));
    });
  order(program.command('extend <id>'))
    .description('move the end of a job')
    .option('--by <time>', 'so much longer: 30m')
    .option('--duration <time>', 'so long in all: 2h')
    .option('--until <time>', 'until then: 22:00, +1h, 2026-11-21T22:00+01:00')
    .action(async (id: string, options) => {
      const { extend } = await import('../commands/extend.ts');
      done(await extend(context, { id, ...options }));
    });
}

function addListening(program: Command, { context, done }: Group): void {
  withServer(program.command('watch [id]'))
    .description('tell of a job until it has ended, or of everything until a signal')
    .option('--type <type>', 'only events of it, such as job.*; may be repeated', collect, [])
    .option('--after <place>', 'from there on: the place of an event')
    .action(async (id: string | undefined, options) => {
      const { watch } = await import('../commands/watch.ts');
      done(await watch(context, { id, ...options }));
    });
  withServer(program.command('logs <id>'))
    .description('what was logged about a job')
    .option('-n, --lines <n>', 'the last so many', '200')
    .option('-f, --follow', 'go on until a signal')
    .action(async (id: string, options) => {
      const { logs } = await import('../commands/logs.ts');
      done(await logs(context, { id, ...options }));
    });
}
