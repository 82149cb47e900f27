import type { PGlite } from '@electric-sql/pglite';

/**
 * How often the log's growth is looked at, milliseconds. A look is one query of 0.3 ms; between two looks a recorder node
 * writes far less than the limit below.
 */
const LOOK_EVERY_MS = 10_000;
/** A checkpoint at the latest after this time, milliseconds: what `checkpoint_timeout` would do, but sooner. */
const CHECKPOINT_EVERY_MS = 60_000;
/** A checkpoint as soon as the log grew by this, bytes: half of `max_wal_size`. */
const CHECKPOINT_WAL_BYTES = 32 * 1024 * 1024;
/** Vacuum at the latest after this time, milliseconds, and as soon as the log grew by this, bytes. */
const VACUUM_EVERY_MS = 3_600_000;
const VACUUM_WAL_BYTES = 128 * 1024 * 1024;

/**
 * Does for PGlite what the checkpointer and autovacuum do for a server: alone it never checkpoints, so its log grows
 * without end, and never vacuums (6 MB of rows grew to 909 MB). `failed` hears what went wrong; the next look tries again.
 */
export function maintain(database: PGlite, failed: (error: unknown) => void): { stop(): void } {
  let checkpoint = { at: performance.now(), lsn: '0/0' };
  let vacuum = checkpoint;

  const look = async () => {
    const lsn = await writtenUpTo(database);
    if (checkpoint.lsn === '0/0') {
      checkpoint = { ...checkpoint, lsn };
      vacuum = checkpoint;
    }
    const sinceVacuum = await grown(database, vacuum.lsn);
    if (isDue(sinceVacuum, vacuum.at, { bytes: VACUUM_WAL_BYTES, everyMs: VACUUM_EVERY_MS })) {
      await database.exec('vacuum (analyze)');
      vacuum = { at: performance.now(), lsn: await writtenUpTo(database) };
    }
    const limit = { bytes: CHECKPOINT_WAL_BYTES, everyMs: CHECKPOINT_EVERY_MS };
    if (!isDue(await grown(database, checkpoint.lsn), checkpoint.at, limit)) return;
    await database.exec('checkpoint');
    checkpoint = { at: performance.now(), lsn: await writtenUpTo(database) };
  };

  const timer = setInterval(() => void look().catch(failed), LOOK_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

const isDue = (bytes: number, since: number, limit: { bytes: number; everyMs: number }) =>
  bytes > limit.bytes || (bytes > 0 && performance.now() - since > limit.everyMs);

async function writtenUpTo(database: PGlite): Promise<string> {
  const { rows } = await database.query<{ lsn: string }>(
    'select pg_current_wal_insert_lsn()::text as lsn',
  );
  return rows[0]?.lsn ?? '0/0';
}

async function grown(database: PGlite, since: string): Promise<number> {
  const { rows } = await database.query<{ bytes: number }>(
    'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8 as bytes',
    [since],
  );
  return rows[0]?.bytes ?? 0;
}
