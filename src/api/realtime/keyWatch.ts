import type { Principal } from '../../core/access.ts';
import { type Clock, pause } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { AccessKeys, KeyView } from '../../jobs/accessKeys.ts';

/** A key that was revoked, or has expired, is refused at once; what it has opened ends by so much later, milliseconds. */
const LOOK_EVERY_MS = 15_000;

export interface KeyWatchParts {
  readonly accessKeys: Pick<AccessKeys, 'list'>;
  readonly clock: Clock;
  readonly log: Log;
  /** While nothing is open, nobody is asked. */
  isAnythingOpen(): boolean;
  /** Ends what those have opened for whom this holds. */
  close(isMeant: (who: Principal) => boolean): void;
}

/** Ends what was opened with a key that does not hold any more. */
export async function watchKeys(parts: KeyWatchParts, signal: AbortSignal): Promise<void> {
  const { accessKeys, clock, log, isAnythingOpen, close } = parts;
  for (;;) {
    await pause(clock, LOOK_EVERY_MS, signal);
    if (signal.aborted) return;
    if (!isAnythingOpen()) continue;
    try {
      const keys = await accessKeys.list();
      const good = new Set(keys.filter((key) => isGood(key, clock.now())).map(({ id }) => id));
      close(({ keyId }) => keyId !== undefined && !good.has(keyId));
    } catch (error) {
      // The database is away: who was let in stays.
      log('debug', 'Keys cannot be looked at', { error: messageOf(error) });
    }
  }
}

const isGood = ({ expiresAt, revokedAt }: KeyView, now: number): boolean =>
  (expiresAt === undefined || expiresAt > now) && (revokedAt === undefined || revokedAt > now);
