import type { Clock } from '../../core/clock.ts';
import { isKennelError, KennelError } from '../../core/errors.ts';

/** Downloads of one segment at the same time: the second covers a slow first, a third would only take their bandwidth. */
const BESIDE_MAX = 2;

export interface MirrorRace<Result> {
  readonly clock: Clock;
  /** Addresses there are, at least one, in order of preference. */
  readonly addresses: number;
  /** When an address has taken so long, the next one is tried beside it. */
  readonly hedgeAfterMs: number;
  readonly signal: AbortSignal;
  /** Whether the next address may be tried now. Default: always. */
  mayTry?(because: 'slow' | 'failed'): boolean;
  /** Tries one address. Once it rejects, nothing of its try is left. */
  attempt(address: number, signal: AbortSignal): Promise<Result>;
  /** Removes what an address brought that was beaten by another. */
  discard(address: number): Promise<void>;
}

type Outcome<Result> =
  | { readonly address: number; readonly result: Result }
  | { readonly address: number; readonly error: unknown };

const beaten = new Error('another address was faster');

/**
 * Tries the same thing at several addresses: the next one at once when one fails, and beside it when it is slow. The first result
 * wins; when this resolves, all the other tries are over. Rejects with the first address's failure when all fail, and at once with
 * what no other address can change: a failing disk, the signal's reason, a bug.
 */
export async function raceMirrors<Result>(
  race: MirrorRace<Result>,
): Promise<{ readonly address: number; readonly result: Result }> {
  const { addresses, signal, attempt, mayTry = () => true } = race;
  if (addresses === 1) return { address: 0, result: await attempt(0, signal) };
  const over = new AbortController();
  const pass = () => over.abort(signal.reason);
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass, { once: true });
  const running = new Map<number, Promise<Outcome<Result>>>();
  let next = 0;
  let failure: unknown;
  const begin = () => {
    const address = next++;
    const tried = attempt(address, over.signal).then(
      (result) => ({ address, result }),
      (error: unknown) => ({ address, error }),
    );
    running.set(address, tried);
  };
  begin();
  try {
    for (;;) {
      const mayHedge = next < addresses && running.size < BESIDE_MAX;
      const outcome = await firstOf(race, running.values(), mayHedge);
      if (outcome === 'slow') {
        if (mayTry('slow')) begin();
        continue;
      }
      running.delete(outcome.address);
      if ('result' in outcome) return outcome;
      failure ??= outcome.error;
      if (signal.aborted || !canDiffer(outcome.error)) throw outcome.error;
      if (next < addresses && mayTry('failed')) begin();
      else if (running.size === 0) throw alsoElsewhere(failure, next - 1);
    }
  } finally {
    signal.removeEventListener('abort', pass);
    if (running.size > 0) over.abort(beaten);
    for (const late of await Promise.all(running.values())) {
      if ('result' in late) await race.discard(late.address);
    }
  }
}

async function firstOf<Result>(
  { clock, hedgeAfterMs }: MirrorRace<Result>,
  running: Iterable<Promise<Outcome<Result>>>,
  mayHedge: boolean,
): Promise<Outcome<Result> | 'slow'> {
  if (!mayHedge) return await Promise.race(running);
  return await new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve('slow'), hedgeAfterMs);
    Promise.race(running)
      .finally(() => clock.clearTimeout(timer))
      .then(resolve, reject);
  });
}

/** Whether another address may answer otherwise. */
const canDiffer = (error: unknown): boolean =>
  isKennelError(error) && error.code !== 'disk.full' && error.code !== 'disk.failed';

function alsoElsewhere(error: unknown, others: number): unknown {
  if (!isKennelError(error) || others === 0) return error;
  const { code, message, retryable, details } = error;
  const elsewhere = others === 1 ? 'another address' : `${others} other addresses`;
  return new KennelError(code, `${message}; ${elsewhere} failed too`, {
    cause: error,
    retryable,
    details,
  });
}
