import type { PGlite } from '@electric-sql/pglite';

/**
 * How often the log's growth is looked at, milliseconds. A look is one query of 0.3 ms; between two looks a recorder node
 * writes far less than the limit below.
 */
const LOOK_EVERY_MS = 10_000;

/** Work is due at once when the log grew by `mostBytes`, and after a time when it grew by `leastBytes`. */
interface Limit {
  readonly mostBytes: number;
  readonly leastBytes: number;
  readonly everyMs: number;
}

/** Half of `max_wal_size`; and what `checkpoint_timeout` would do, but sooner. */
const CHECKPOINT: Limit = { mostBytes: 32 * 1024 ** 2, leastBytes: 1, everyMs: 60_000 };
/** A move writes about a kilobyte, so a vacuum finds a thousand dead rows at least. */
const VACUUM: Limit = { mostBytes: 128 * 1024 ** 2, leastBytes: 1024 ** 2, everyMs: 3_600_000 };

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
    if (isDue(await grown(database, vacuum.lsn), vacuum.at, VACUUM)) {
      await database.exec('vacuum (analyze)');
      vacuum = { at: performance.now(), lsn: await writtenUpTo(database) };
    }
    if (!isDue(await grown(database, checkpoint.lsn), checkpoint.at, CHECKPOINT)) return;
    await database.exec('checkpoint');
    checkpoint = { at: performance.now(), lsn: await writtenUpTo(database) };
  };

  const timer = setInterval(() => void look().catch(failed), LOOK_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

const isDue = (bytes: number, since: number, { mostBytes, leastBytes, everyMs }: Limit) =>
  bytes > mostBytes || (bytes >= leastBytes && performance.now() - since >= everyMs);

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
