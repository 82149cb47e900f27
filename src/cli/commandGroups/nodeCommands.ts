import type { Command } from 'commander';
import { collect, type Group, withRecording, withServer, withTerms } from './sharedOptions.ts';

/** Commands about a service itself: what it carries, who may ask it, whom it tells. */
export function addNodeCommands(program: Command, group: Group): void {
  const { context, done } = group;
  withServer(program.command('capacity'))
    .description('how much the node carries, and could')
    .action(async (options) => {
      const { capacity } = await import('../commands/capacity.ts');
      done(await capacity(context, options));
    });
  const config = program.command('config').description('the settings');
  withServer(config.command('show', { isDefault: true }))
    .description('every setting as it holds, with who said so; secrets are hidden')
    .option('--config <file>', 'settings (default: kennel.toml here or in the data directory)')
    .action(async (options) => {
      const { showConfig } = await import('../commands/config.ts');
      done(await showConfig(context, options));
    });
  addSchedules(program.command('schedules').description('recordings that come again'), group);
  addKeys(program.command('keys').description('keys of the API'), group);
  addTenants(program.command('tenants').description('who shares the node'), group);
  addWebhooks(program.command('webhooks').description('who is told of events'), group);
}

function addSchedules(schedules: Command, { context, done }: Group): void {
  withTerms(withRecording(withServer(schedules.command('add <url> [quality]'))))
    .description('record again and again: each window becomes a job, which ends with it')
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--cron <fields>', 'when windows begin: "0 20 * * 1-5"')
    .requiredOption('--window <time>', 'how long one lasts: 90m')
    .option('--time-zone <name>', 'Europe/Berlin, UTC, … (default: that of this machine)')
    .action(async (url: string, quality: string | undefined, options) => {
      const { addSchedule } = await import('../commands/schedules.ts');
      done(await addSchedule(context, { url, quality, ...options }));
    });
  withServer(schedules.command('list', { isDefault: true }))
    .description('list schedules, with when the next window begins')
    .action(async (options) => {
      const { listSchedules } = await import('../commands/schedules.ts');
      done(await listSchedules(context, options));
    });
  withServer(schedules.command('remove <id>'))
    .description('remove a schedule; jobs that came of it stay')
    .action(async (id: string, options) => {
      const { removeSchedule } = await import('../commands/schedules.ts');
      done(await removeSchedule(context, { id, ...options }));
    });
}

function addKeys(keys: Command, { context, done }: Group): void {
  withServer(keys.command('create'))
    .description('make a key; it is printed once, alone on standard output')
    .requiredOption('--name <name>', 'whose it is, or what for')
    .requiredOption(
      '--scope <scopes>',
      'jobs.read, jobs.write, jobs.kill, webhooks, admin; with commas, or repeated',
      collect,
      [],
    )
    .option('--tenant <id>', "of which tenant (default: the caller's own)")
    .option('--expires <time>', 'when it is refused: +90d, 2027-01-01T00:00Z')
    .action(async (options) => {
      const { createKey } = await import('../commands/keys.ts');
      done(await createKey(context, options));
    });
  withServer(keys.command('list', { isDefault: true }))
    .description('list keys, without their secrets')
    .option('--tenant <id>', 'only of this tenant')
    .action(async (options) => {
      const { listKeys } = await import('../commands/keys.ts');
      done(await listKeys(context, options));
    });
  withServer(keys.command('revoke <id>'))
    .description('refuse a key from now on')
    .action(async (id: string, options) => {
      const { revokeKey } = await import('../commands/keys.ts');
      done(await revokeKey(context, { id, ...options }));
    });
  withServer(keys.command('rotate <id>'))
    .description('make a new key with the same rights, which is printed once')
    .option('--overlap <time>', 'for so long the old one is accepted as well (1h)')
    .action(async (id: string, options) => {
      const { rotateKey } = await import('../commands/keys.ts');
      done(await rotateKey(context, { id, ...options }));
    });
}

function addTenants(tenants: Command, { context, done }: Group): void {
  withServer(tenants.command('list', { isDefault: true }))
    .description('list tenants')
    .action(async (options) => {
      const { listTenants } = await import('../commands/tenants.ts');
      done(await listTenants(context, options));
    });
  withServer(tenants.command('set <id>'))
    .description('make a tenant, or change what is given')
    .option('--name <name>', 'for people')
    .option('--weight <n>', 'its share while several wait, against those of others')
    .option('--running-max <n>', 'jobs at once; none: as many as fit')
    .option('--waiting-max <n>', 'jobs that wait; none: any number')
    .action(async (id: string, options) => {
      const { setTenant } = await import('../commands/tenants.ts');
      done(await setTenant(context, { id, ...options }));
    });
}

function addWebhooks(webhooks: Command, { context, done }: Group): void {
  withServer(webhooks.command('add <url>'))
    .description('add a receiver; its secret is printed once, alone on standard output')
    .option('--type <type>', 'only events of it, such as job.*; may be repeated', collect, [])
    .option('--job <id>', 'only of this job, from its beginning')
    .action(async (url: string, options) => {
      const { addWebhook } = await import('../commands/webhooks.ts');
      done(await addWebhook(context, { url, ...options }));
    });
  withServer(webhooks.command('list', { isDefault: true }))
    .description('list receivers')
    .action(async (options) => {
      const { listWebhooks } = await import('../commands/webhooks.ts');
      done(await listWebhooks(context, options));
    });
  withServer(webhooks.command('remove <id>'))
    .description('remove a receiver; what waits for it is not sent any more')
    .action(async (id: string, options) => {
      const { removeWebhook } = await import('../commands/webhooks.ts');
      done(await removeWebhook(context, { id, ...options }));
    });
  withServer(webhooks.command('deliveries <id>'))
    .description('list what a receiver was sent, newest first')
    .option('--state <state>', 'waiting, delivered or dead')
    .option('--limit <n>', 'how many', '20')
    .action(async (id: string, options) => {
      const { listDeliveries } = await import('../commands/webhooks.ts');
      done(await listDeliveries(context, { id, ...options }));
    });
  withServer(webhooks.command('redeliver <id> <delivery>'))
    .description('send a delivery again, under the same id')
    .action(async (id: string, delivery: string, options) => {
      const { redeliver } = await import('../commands/webhooks.ts');
      done(await redeliver(context, { id, delivery, ...options }));
    });
}
