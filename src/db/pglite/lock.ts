import { DatabaseSync } from 'node:sqlite';
import { KennelError } from '../../core/errors.ts';

/** SQLITE_BUSY: another connection, of this process or of another, holds the lock. */
const BUSY = 5;

const SHARE =
  'stop it, choose another data directory, or set DATABASE_URL so that both can share a Postgres';

/**
 * Takes the kernel's lock on a file, which is freed however its holder dies: no heartbeat, no stale lock. Node has no
 * `fcntl` locks of its own; an SQLite database in exclusive mode is one. Throws `data.locked` when somebody has it.
 */
export function lockFile(path: string, advice = SHARE): { release(): void } {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('pragma journal_mode=delete; pragma locking_mode=exclusive; begin exclusive');
  } catch (cause) {
    database.close();
    if (!(cause instanceof Error && 'errcode' in cause && cause.errcode === BUSY)) throw cause;
    throw new KennelError(
      'data.locked',
      `another Kennel uses ${path.replace(/\.lock$/, '')}; ${advice}`,
      { cause, details: { lock: path } },
    );
  }
  return {
    release() {
      database.close();
    },
  };
}
