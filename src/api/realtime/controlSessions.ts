import type { ControlParts } from '../../control/controlSession.ts';
import { ControlSession } from '../../control/controlSession.ts';
import type { ControlTransport } from '../../control/controlTransport.ts';
import type { CloseReason } from '../../control/protocol.ts';
import type { Principal } from '../../core/access.ts';
import { KennelError } from '../../core/errors.ts';

export interface SessionLimits {
  /** Of everybody. */
  readonly sessionsMax: number;
  readonly sessionsPerTenantMax: number;
}

/** A session holds some 50 KiB; a team has a few screens each. */
export const SESSION_LIMITS: SessionLimits = { sessionsMax: 1_000, sessionsPerTenantMax: 200 };

/** The sessions of control, over whichever channel. */
export class ControlSessions {
  readonly #parts: ControlParts;
  readonly #limits: SessionLimits;
  readonly #sessions = new Set<ControlSession>();

  constructor(parts: ControlParts, limits: SessionLimits = SESSION_LIMITS) {
    this.#parts = parts;
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @throws KennelError `rate.limited` when there is no room for another one */
  assertRoom({ tenantId }: Principal): void {
    const { sessionsMax, sessionsPerTenantMax } = this.#limits;
    const own = [...this.#sessions].filter(({ who }) => who.tenantId === tenantId).length;
    if (this.#sessions.size < sessionsMax && own < sessionsPerTenantMax) return;
    throw new KennelError('rate.limited', 'there are too many sessions of control already', {
      retryable: true,
      details: { sessionsMax, sessionsPerTenantMax },
    });
  }

  /** The transport must say `end` when it is gone. */
  begin(who: Principal, transport: ControlTransport): ControlSession {
    const session = new ControlSession(who, this.#parts, transport);
    this.#sessions.add(session);
    return session;
  }

  end(session: ControlSession): void {
    this.#sessions.delete(session);
    session.ended();
  }

  closeWhere(isMeant: (who: Principal) => boolean, reason: CloseReason): void {
    for (const session of [...this.#sessions]) if (isMeant(session.who)) session.close(reason);
  }
}
