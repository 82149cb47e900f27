import { randomBytes } from 'node:crypto';
import type { Principal } from '../../core/access.ts';
import type { Clock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';

/** Long enough for a page to open a connection on a slow line; in a log of URLs it is worthless by the time it is read. */
export const TICKET_LIFE_MS = 30_000;
/** 300 a second that nobody uses. */
const TICKETS_MAX = 10_000;
const TICKET_BYTES = 32;

interface Issued {
  readonly who: Principal;
  /** On the clock that never steps. */
  readonly until: number;
}

/** What a browser opens a connection with, where it can send no key: good once, for a moment, for whoever asked for it. */
export class Tickets {
  readonly #clock: Clock;
  /** The oldest first: they all live equally long. */
  readonly #issued = new Map<string, Issued>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws KennelError `rate.limited` */
  issue(who: Principal): { readonly ticket: string; readonly expiresAt: number } {
    this.#forgetOld();
    if (this.#issued.size >= TICKETS_MAX)
      throw new KennelError('rate.limited', 'there are too many tickets that nobody has used', {
        retryable: true,
        details: { retryAfterMs: TICKET_LIFE_MS },
      });
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    this.#issued.set(ticket, { who, until: this.#clock.elapsed() + TICKET_LIFE_MS });
    return { ticket, expiresAt: this.#clock.now() + TICKET_LIFE_MS };
  }

  /** Whose it is, once; undefined when it is unknown, used or too old. */
  take(ticket: string): Principal | undefined {
    this.#forgetOld();
    const issued = this.#issued.get(ticket);
    this.#issued.delete(ticket);
    return issued?.who;
  }

  #forgetOld(): void {
    const now = this.#clock.elapsed();
    for (const [ticket, { until }] of this.#issued) {
      if (until > now) return;
      this.#issued.delete(ticket);
    }
  }
}
