import { type Clock, pause } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { causeOf, isOutage, unavailable, unwrapped } from './outage.ts';

/** First and longest pause between tries, milliseconds: a restarted server is found at once, a dead one is not hammered. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_LONGEST_MS = 2_000;

/**
 * How long one try may go without an answer, milliseconds: longer than connecting (10 s) and the server's own limit for a
 * statement (30 s) together. Only a connection that went silent takes as long.
 */
const ANSWER_WITHIN_MS = 60_000;

/** One line for the first failed try, then for each hundredth. */
const TRIES_PER_LOG_LINE = 100;

export interface Persistence {
  readonly clock: Clock;
  random(): number;
  readonly log: Log;
}

/**
 * Asks until there is an answer, through outages however long. Rejects with what is not an outage, and with
 * `database.unavailable` once the signal aborted. A try that seemed lost may still arrive at the server, later than the
 * next one: what is asked must be harmless then.
 */
export async function persist<Answer>(
  ask: () => Promise<Answer>,
  signal: AbortSignal,
  { clock, random, log }: Persistence,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    if (signal.aborted) throw unavailable(signal.reason);
    try {
      const answer = await answerInTime(ask, clock);
      if (tries > 1) log('info', 'The database answers again', { tries });
      return answer;
    } catch (error) {
      if (!isOutage(error)) throw unwrapped(error);
      if (tries % TRIES_PER_LOG_LINE === 1) {
        log('warn', 'The database does not answer, trying again', { tries, error: causeOf(error) });
      }
    }
    const delayMs = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(tries - 1, 10), BACKOFF_LONGEST_MS);
    await pause(clock, delayMs * (0.5 + random() / 2), signal);
  }
}

function answerInTime<Answer>(ask: () => Promise<Answer>, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(
      () => reject(unavailable(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`))),
      ANSWER_WITHIN_MS,
    );
    ask()
      .then(resolve, reject)
      .finally(() => clock.clearTimeout(timer));
  });
}
