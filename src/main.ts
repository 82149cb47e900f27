#!/usr/bin/env node
import { runCli } from './cli/cli.ts';

// A reader that goes away (`kennel record … | head`) must not end a recording.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// Crash-only: a bug ends this process, its recorder hosts go on for a while, and the same command adopts them.
process.on('uncaughtException', (error) => {
  process.stderr.write(`kennel: this is a bug: ${error.stack ?? error}\n`);
  process.exit(70);
});

// Loaded on demand: `kennel --help` needs neither a database nor a supervision tree.
const composition = async () => await import('./compose.ts');
const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  compose: async (config) => await (await composition()).compose(config),
  composeService: async (options) => await (await composition()).composeService(options),
});
// Everything has been stopped by now; a handle that a library forgot must not keep the process.
process.stdout.write('', () => process.exit(exitCode));
