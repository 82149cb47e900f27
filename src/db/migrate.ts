import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JobState } from '../../machines/vocabulary.ts';
import type { KennelDatabase } from './database.ts';
import { and, eq, sql } from './drizzle.ts';
import { jobTransitions, legalMoves } from './schema.ts';

export interface LegalMove {
  readonly from: JobState;
  readonly to: JobState;
}

/** The migrations' folder: beside `src/` in a source tree, beside `dist/` in the package. */
export function migrationsFolder(): string {
  const found = ['../../drizzle', '../../../drizzle']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(`${path}/meta/_journal.json`));
  if (!found) throw new Error('the package is incomplete: its folder drizzle/ is missing');
  return found;
}

/** Makes the database's list of legal moves the given one; a move that stands in a job's history stays. */
export async function writeLegalMoves(
  database: KennelDatabase,
  moves: readonly LegalMove[],
): Promise<void> {
  if (moves.length > 0) await insertMoves(database, moves);
  for (const known of await readMoves(database)) {
    if (!moves.some(({ from, to }) => from === known.from && to === known.to)) {
      await deleteUnused(database, known);
    }
  }
}

const insertMoves = (database: KennelDatabase, moves: readonly LegalMove[]) =>
  database
    .insert(legalMoves)
    .values([...moves])
    .onConflictDoNothing();

const readMoves = (database: KennelDatabase) => database.select().from(legalMoves);

const deleteUnused = (database: KennelDatabase, { from, to }: LegalMove) =>
  database.delete(legalMoves).where(
    and(
      eq(legalMoves.from, from),
      eq(legalMoves.to, to),
      sql`not exists (${database
        .select({ one: sql`1` })
        .from(jobTransitions)
        .where(and(eq(jobTransitions.from, from), eq(jobTransitions.to, to)))})`,
    ),
  );
