import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import type { Log } from '../core/log.ts';
import { pgliteDriver } from './drizzle.ts';
import { type LegalMove, migrationsFolder, writeLegalMoves } from './migrate.ts';
import { PgliteClient } from './pglite/client.ts';
import * as schema from './schema.ts';

/** Drizzle, typed the same over both drivers. Never `execute` for reads: there the drivers differ. */
export type KennelDatabase = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface Database {
  readonly db: KennelDatabase;
  readonly kind: 'postgres' | 'pglite';
  /** Waits for what is being asked. Idempotent. */
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  /** `postgres://…`. Absent: the embedded database. */
  readonly url?: string | undefined;
  /** Where the embedded database lives, as `pgdata` in it. */
  readonly directory: string;
  /** What the statechart allows; the database refuses every other move. */
  readonly legalMoves: readonly LegalMove[];
  readonly log?: Log;
}

/**
 * Opens the database and brings it up to date. Throws `data.locked` when another process has the embedded database,
 * `database.unsafe` when commits would not be durable or the server is too old, `database.unavailable` when it does not
 * answer.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { url, legalMoves, log = () => undefined } = options;
  if (url !== undefined) {
    const { openPostgres } = await import('./postgres.ts');
    return { kind: 'postgres', ...(await openPostgres({ url, legalMoves, log })) };
  }
  return { kind: 'pglite', ...(await openPglite(options)) };
}

async function openPglite({ directory, legalMoves }: OpenDatabaseOptions) {
  await mkdir(directory, { recursive: true });
  const client = new PgliteClient(join(directory, 'pgdata'));
  const { drizzle, migrate } = pgliteDriver();
  // The client has those parts of PGlite that the driver calls; the conformance suite runs through all of them.
  const pglite = client as unknown as PGlite;
  const db: KennelDatabase = drizzle(pglite, { schema });
  try {
    await client.start();
    await migrate(drizzle(pglite), { migrationsFolder: migrationsFolder() });
    await writeLegalMoves(db, legalMoves);
  } catch (error) {
    await client.close();
    throw error;
  }
  return { db, close: () => client.close() };
}
