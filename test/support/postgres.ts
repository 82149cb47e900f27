import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { postgresPrograms } from './postgresPrograms.ts';

export interface PostgresServer {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Stops the server at once, as a crash would (`restart` brings it back). Absent when the server is not ours. */
  readonly crash?: () => Promise<void>;
  readonly restart?: () => Promise<void>;
  /** Ends the server and removes its files. Idempotent. */
  stop(): Promise<void>;
}

export interface NoPostgres {
  /** Why there is no server here. */
  readonly missing: string;
}

/**
 * A real Postgres: the one that `KENNEL_TEST_POSTGRES_URL` names, or one of our own in a temporary directory. When there
 * can be none, standard error says so, and the caller skips by name.
 */
export async function startPostgres(): Promise<PostgresServer | NoPostgres> {
  const named = process.env['KENNEL_TEST_POSTGRES_URL'];
  if (named) return { createDatabase: () => createDatabase(named), stop: async () => undefined };
  const programs = await postgresPrograms();
  if ('missing' in programs) return didNotRun(programs.missing);
  try {
    return await startOwn(programs.directory);
  } catch (error) {
    return didNotRun(error instanceof Error ? error.message : String(error));
  }
}

function didNotRun(missing: string): NoPostgres {
  process.stderr.write(`did not run: tests on a real Postgres, because ${missing}\n`);
  return { missing };
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root, so root lends it another account. */
function account(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody']
    .map((name) => accounts.find((one) => one.startsWith(`${name}:`)))
    .find((one) => one !== undefined);
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('there is no account but root');
  return { uid: Number(uid), gid: Number(gid) };
}

async function startOwn(programs: string): Promise<PostgresServer> {
  const runAs = account();
  const directory = mkdtempSync(join(tmpdir(), 'kennel-postgres-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    if (runAs) chownSync(directory, runAs.uid, runAs.gid);
    const data = join(directory, 'data');
    const how = ['-U', 'kennel', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(join(programs, 'initdb'), ['-D', data, ...how], { directory, runAs });
    const port = await freePort();
    const start = () => startServer(join(programs, 'postgres'), { directory, data, port, runAs });
    let server = await start();
    const end = async (signal: NodeJS.Signals) => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      server.kill(signal);
      await exited;
    };
    return {
      createDatabase: () => createDatabase(`postgres://kennel@127.0.0.1:${port}/postgres`),
      crash: () => end('SIGQUIT'),
      restart: async () => {
        server = await start();
      },
      stop: async () => {
        await end('SIGINT');
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

interface Place {
  readonly directory: string;
  readonly runAs: Account | undefined;
}

async function run(program: string, args: string[], { directory, runAs }: Place): Promise<void> {
  const child = spawn(program, args, {
    ...runAs,
    cwd: directory,
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} failed: ${said.trim().split('\n').at(-1)}`);
}

interface ServerPlace extends Place {
  readonly data: string;
  readonly port: number;
}

/** Resolves once the server accepts connections. It does not outlive this process, unless this is killed with -9. */
async function startServer(
  program: string,
  { directory, data, port, runAs }: ServerPlace,
): Promise<ChildProcess> {
  const settings = [
    ['listen_addresses', '127.0.0.1'],
    ['port', String(port)],
    ['unix_socket_directories', directory],
    ['max_connections', '60'],
    ['shared_buffers', '32MB'],
  ].flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(program, ['-D', data, ...settings], {
    ...runAs,
    cwd: directory,
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const killed = () => {
    server.kill('SIGQUIT');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', killed);
  server.once('exit', () => process.off('exit', killed));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('is ready to accept connections')) resolve();
      said = said.slice(-2_000);
    });
    server.once('exit', () => reject(new Error(`postgres did not start: ${said}`)));
    server.once('error', reject);
  });
  return server;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function createDatabase(url: string): Promise<string> {
  const name = `kennel_${crypto.randomUUID().replaceAll('-', '')}`;
  const client = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await client.unsafe(`create database ${name}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}
