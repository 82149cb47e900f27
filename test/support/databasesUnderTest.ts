import { rmSync } from 'node:fs';
import postgres from 'postgres';
import type { OpenDatabaseOptions } from '../../src/db/database.ts';
import { pgliteDirectory } from './database.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

export interface Outage {
  /** Whether the server is really gone, or only its connections were cut. */
  readonly isAway: boolean;
  restore(): Promise<void>;
}

/** One kind of database that a conformance suite runs over. */
export interface DatabaseUnderTest {
  readonly kind: 'pglite' | 'postgres';
  /** Why it cannot be had here, if it cannot: skip the suite, and say so in its title. */
  readonly missing?: string;
  /** Where a new, empty database is. */
  place(): Promise<Pick<OpenDatabaseOptions, 'url' | 'directory'>>;
  breakOff(): Promise<Outage>;
  stop(): Promise<void>;
}

/** `for (const under of await databasesUnderTest()) describe.skipIf(under.missing)(…)`, and `stop` them in `afterAll`. */
export async function databasesUnderTest(): Promise<readonly DatabaseUnderTest[]> {
  const started = await startPostgres();
  return [embedded(), 'missing' in started ? absent(started.missing) : server(started)];
}

function absent(missing: string): DatabaseUnderTest {
  const refuse = () => Promise.reject(new Error(missing));
  return {
    kind: 'postgres',
    missing,
    place: refuse,
    breakOff: refuse,
    stop: async () => undefined,
  };
}

function embedded(): DatabaseUnderTest {
  const directories: string[] = [];
  return {
    kind: 'pglite',
    place: async () => {
      const directory = pgliteDirectory();
      directories.push(directory);
      return { directory };
    },
    breakOff: async () => ({ isAway: false, restore: async () => undefined }),
    stop: async () => {
      for (const directory of directories) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function server({ createDatabase, crash, restart, stop }: PostgresServer): DatabaseUnderTest {
  let url = '';
  return {
    kind: 'postgres',
    place: async () => {
      url = await createDatabase();
      return { url, directory: '/nonexistent' };
    },
    breakOff: async () => {
      if (crash && restart) {
        await crash();
        return { isAway: true, restore: restart };
      }
      await cutConnections(url);
      return { isAway: false, restore: async () => undefined };
    },
    stop,
  };
}

async function cutConnections(url: string): Promise<void> {
  const client = postgres(url, { max: 1 });
  await client`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  await client.end();
}
