import { LEGAL_MOVES } from '../../../machines/index.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { asc } from '../../../src/db/drizzle.ts';
import { events, jobs, jobTransitions } from '../../../src/db/schema.ts';
import type { Accepted } from './submitters.ts';

export interface HistoryParts {
  /** Absent: the embedded database. */
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly accepted: readonly Accepted[];
  readonly fault: (text: string) => void;
}

type JobRow = typeof jobs.$inferSelect;
type Move = typeof jobTransitions.$inferSelect;

/** Reads the database itself, after the service has ended: what it holds is what it promised. Returns the jobs. */
export async function judgeHistories(parts: HistoryParts): Promise<readonly JobRow[]> {
  const { databaseUrl, dataDir, accepted, fault } = parts;
  const options = { url: databaseUrl, directory: dataDir, legalMoves: LEGAL_MOVES };
  const database = await openDatabase(options);
  try {
    const { db } = database;
    const rows = await db.select().from(jobs);
    const moves = await db
      .select()
      .from(jobTransitions)
      .orderBy(asc(jobTransitions.jobId), asc(jobTransitions.version));
    const told = await db.select().from(events).orderBy(asc(events.xid), asc(events.id));
    judgeOnce(rows, accepted, fault);
    for (const row of rows) {
      const own = moves.filter(({ jobId }) => jobId === row.id);
      judgeMoves(row, own, fault);
      const heard = told.filter(({ jobId, type }) => jobId === row.id && type === 'job.moved');
      const asTold = heard.map(({ data }) => `${String(data['from'])} → ${String(data['to'])}`);
      const asMoved = own.map(({ from, to }) => `${from} → ${to}`);
      if (asTold.join() !== asMoved.join())
        fault(`${row.id}: moved ${asMoved.join(', ')}; told ${asTold.join(', ')}`);
    }
    return rows;
  } finally {
    await database.close();
  }
}

/** Every wish that was accepted is one job, and there is no other job. */
function judgeOnce(
  rows: readonly JobRow[],
  accepted: readonly Accepted[],
  fault: HistoryParts['fault'],
): void {
  for (const { key, jobId } of accepted) {
    const own = rows.filter(({ labels }) => labels['wish'] === key);
    if (own.length !== 1 || own[0]?.id !== jobId)
      fault(`${key} was accepted as ${jobId}; there is ${own.map(({ id }) => id).join(', ')}`);
  }
  const known = new Set(accepted.map(({ jobId }) => jobId));
  for (const { id } of rows) if (!known.has(id)) fault(`nobody was told of the job ${id}`);
}

/** Versions without holes, each move from where the one before ended, in the order of their times. */
function judgeMoves(row: JobRow, moves: readonly Move[], fault: HistoryParts['fault']): void {
  let state: string = 'pending';
  let at = 0;
  for (const [place, move] of moves.entries()) {
    if (move.version !== place + 1) fault(`${row.id}: move ${place + 1} has ${move.version}`);
    if (move.from !== state) fault(`${row.id}: from ${move.from} where it was ${state}`);
    if (move.at < at) fault(`${row.id}: ${move.from} → ${move.to} before the move before it`);
    ({ to: state, at } = move);
  }
  if (row.version !== moves.length || row.state !== state)
    fault(`${row.id}: ${row.state}, version ${row.version}; its moves: ${moves.length}, ${state}`);
}
