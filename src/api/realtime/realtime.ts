import { v7 } from 'uuid';
import type { ControlParts } from '../../control/controlSession.ts';
import { DEFAULT_TENANT, type Principal } from '../../core/access.ts';
import type { Clock } from '../../core/clock.ts';
import { isKennelError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { AccessKeys } from '../../jobs/accessKeys.ts';
import type { ListenerLimits } from '../../jobs/eventListener.ts';
import type { EventLog } from '../../jobs/eventLog.ts';
import { EventStreams } from '../../jobs/eventStream.ts';
import type { EventFeed } from '../../jobs/events.ts';
import type { Operations } from '../../jobs/operations.ts';
import { failureShown } from '../errorAnswer.ts';
import { jobShown } from '../schemas/job.ts';
import { ControlSessions, type SessionLimits } from './controlSessions.ts';
import { watchKeys } from './keyWatch.ts';
import { type RtcOptions, RtcSessions } from './rtcSessions.ts';
import { Tickets } from './tickets.ts';

export interface RealtimeOptions {
  readonly operations: Operations;
  readonly eventLog: EventLog;
  readonly feed: EventFeed;
  readonly accessKeys: Pick<AccessKeys, 'list'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly rtc?: RtcOptions;
  readonly limits?: { readonly listener?: ListenerLimits; readonly sessions?: SessionLimits };
}

/** Kennel itself: it looks up whose a job is. */
const SERVICE: Principal = { tenantId: DEFAULT_TENANT, scopes: ['admin'] };

/** Everything of the API that stays open: streams of events, and control over WebSocket and WebRTC. */
export class Realtime {
  readonly streams: EventStreams;
  readonly sessions: ControlSessions;
  readonly rtc: RtcSessions;
  readonly tickets: Tickets;
  readonly clock: Clock;
  readonly #stopped = new AbortController();

  constructor(options: RealtimeOptions) {
    const { operations, eventLog, feed, accessKeys, clock, log, limits } = options;
    this.clock = clock;
    this.tickets = new Tickets(clock);
    this.streams = new EventStreams({
      ...{ eventLog, feed, clock, log, tenantOf: tenantOf(operations) },
      ...(limits?.listener && { limits: limits.listener }),
    });
    const control: ControlParts = {
      operations,
      streams: this.streams,
      showJob: jobShown,
      showError: (thrown) => failureShown(thrown, { log, requestId: v7() }),
    };
    this.sessions = new ControlSessions(control, limits?.sessions);
    this.rtc = new RtcSessions({ sessions: this.sessions, clock, log, ...options.rtc });
    const isAnythingOpen = () => this.streams.listeners + this.sessions.size > 0;
    const close = (isMeant: (who: Principal) => boolean) => this.#deny(isMeant);
    void watchKeys({ accessKeys, clock, log, isAnythingOpen, close }, this.#stopped.signal);
  }

  /** Everybody is told, and everything is closed. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.streams.stop();
    this.sessions.closeWhere(() => true, 'ends');
    await this.rtc.stop();
  }

  #deny(isMeant: (who: Principal) => boolean): void {
    this.streams.closeWhere(isMeant, 'access.denied');
    this.sessions.closeWhere(isMeant, 'denied');
  }
}

const tenantOf =
  (operations: Operations) =>
  async (jobId: string): Promise<string | undefined> => {
    try {
      return (await operations.get(SERVICE, jobId)).tenantId;
    } catch (error) {
      if (isKennelError(error) && error.code === 'job.notFound') return undefined;
      throw error;
    }
  };
