import postgres from 'postgres';
import { KennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { KennelDatabase } from './database.ts';
import { postgresDriver } from './drizzle.ts';
import { type LegalMove, migrationsFolder, writeLegalMoves } from './migrate.ts';
import { askOnce } from './outage.ts';
import * as schema from './schema.ts';

/** The oldest server that the migrations and tests know. */
const SERVER_VERSION_LOWEST = 15;
/** Connections of one node. Commits are short, and eight at once saturate a server's disk already. */
const CONNECTIONS_MAX = 10;
/** Longest pause before postgres.js tries to connect again, seconds; its own is 20 s. */
const RECONNECT_LONGEST_SECONDS = 1;
/** Any number, the same for all nodes: only one of them migrates at a time. */
const MIGRATION_LOCK = 7_331_001;

const settings = {
  max: CONNECTIONS_MAX,
  idle_timeout: 30,
  max_lifetime: 1800,
  connect_timeout: 10,
  backoff: (tries: number) => Math.min(0.05 * 2 ** Math.min(tries, 10), RECONNECT_LONGEST_SECONDS),
  onnotice: () => undefined,
  connection: {
    application_name: 'kennel',
    statement_timeout: 30_000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 15_000,
  },
} as const;

export interface OpenPostgres {
  readonly url: string;
  readonly legalMoves: readonly LegalMove[];
  readonly log: Log;
}

/** Throws `database.unavailable` when the server does not answer now, `database.unsafe` when it is too old. */
export async function openPostgres({ url, legalMoves, log }: OpenPostgres) {
  await askOnce(() => prepare({ url, legalMoves, log }));
  const client = postgres(url, settings);
  const db: KennelDatabase = postgresDriver().drizzle(client, { schema });
  return { db, close: () => client.end({ timeout: 5 }) };
}

/** Checks and migrates over one connection of its own, which holds the lock: nodes that start together take turns. */
async function prepare({ url, legalMoves, log }: OpenPostgres): Promise<void> {
  const { drizzle, migrate } = postgresDriver();
  const waiting = { ...settings.connection, statement_timeout: 0, lock_timeout: 0 };
  const client = postgres(url, { ...settings, max: 1, idle_timeout: 0, connection: waiting });
  try {
    await assertUsable(client, log);
    const db: KennelDatabase = drizzle(client, { schema });
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(client), { migrationsFolder: migrationsFolder() });
    await writeLegalMoves(db, legalMoves);
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function assertUsable(client: postgres.Sql, log: Log): Promise<void> {
  const [row] = await client<{ version: number; fsync: string }[]>`
    select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync`;
  const version = Math.floor((row?.version ?? 0) / 10_000);
  if (version < SERVER_VERSION_LOWEST) {
    throw new KennelError(
      'database.unsafe',
      `the server is PostgreSQL ${version}; Kennel needs ${SERVER_VERSION_LOWEST} or newer`,
      { details: { version } },
    );
  }
  if (row?.fsync !== 'on') {
    log(
      'warn',
      'The server runs with fsync off: a crash of its machine loses what it confirmed',
      {},
    );
  }
}
