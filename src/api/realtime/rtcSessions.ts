import { v7 } from 'uuid';
import type { RTCDataChannel } from 'werift';
import type { ControlSession } from '../../control/controlSession.ts';
import { maySee, type Principal } from '../../core/access.ts';
import { type Clock, pause } from '../../core/clock.ts';
import { KennelError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { ControlSessions } from './controlSessions.ts';
import { checkedOffer } from './rtcOffer.ts';
import {
  answerOf,
  channelTransport,
  loadWebRtc,
  openPeer,
  type Peer,
  type RtcAddresses,
  type WebRtc,
} from './rtcPeer.ts';

export interface RtcOptions extends RtcAddresses {
  readonly limits?: RtcLimits;
  /** Where WebRTC comes from. */
  readonly load?: () => Promise<WebRtc>;
}

export interface RtcLimits {
  /** Connections at once: each has a socket for every address of the machine, and some MB. */
  readonly peersMax: number;
  /** From the answer to the channel that is open, milliseconds: ICE gives up after as much. */
  readonly openWithinMs: number;
  /** Without a message from the other side, milliseconds: who listens only pings now and then. */
  readonly idleMs: number;
}

export const RTC_LIMITS: RtcLimits = { peersMax: 64, openWithinMs: 30_000, idleMs: 300_000 };

interface RtcParts extends RtcOptions {
  readonly sessions: ControlSessions;
  readonly clock: Clock;
  readonly log: Log;
}

/** The one channel that is spoken on. */
const CHANNEL_LABEL = 'control';

interface Open {
  readonly who: Principal;
  readonly end: (why: string) => Promise<void>;
}

/** Sessions of control over WebRTC data channels. Whoever sends the offer is who is on the channel. */
export class RtcSessions {
  readonly #parts: RtcParts;
  readonly #limits: RtcLimits;
  readonly #open = new Map<string, Open>();
  #opening = 0;
  #isStopped = false;

  constructor(parts: RtcParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? RTC_LIMITS;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @throws KennelError `request.invalid`, `rate.limited`, `tool.missing`, `service.unavailable` */
  async answer(
    who: Principal,
    offer: string,
  ): Promise<{ readonly id: string; readonly sdp: string }> {
    const { sessions, load = loadWebRtc } = this.#parts;
    const checked = checkedOffer(offer);
    sessions.assertRoom(who);
    this.#assertRoom();
    this.#opening += 1;
    let peer: Peer | undefined;
    try {
      peer = openPeer(await load(), this.#parts);
      const id = v7();
      this.#watch(id, who, peer);
      const sdp = await answerOf(peer, checked);
      if (this.#isStopped) throw new KennelError('service.unavailable', 'the service ends');
      return { id, sdp };
    } catch (error) {
      await peer?.close();
      throw error;
    } finally {
      this.#opening -= 1;
    }
  }

  /** @throws KennelError `route.notFound` when there is none, or not for them */
  async end(who: Principal, id: string): Promise<void> {
    const open = this.#open.get(id);
    if (!open || !maySee(who, open.who.tenantId))
      throw new KennelError('route.notFound', `there is no session ${id}`);
    await open.end('told to end');
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#open.values()].map(({ end }) => end('the service ends')));
  }

  #assertRoom(): void {
    const { peersMax } = this.#limits;
    if (this.#isStopped) throw new KennelError('service.unavailable', 'the service ends');
    if (this.#open.size + this.#opening >= peersMax)
      throw new KennelError('rate.limited', `there are ${peersMax} WebRTC sessions already`, {
        retryable: true,
        details: { peersMax },
      });
  }

  #watch(id: string, who: Principal, peer: Peer): void {
    const { sessions, clock, log } = this.#parts;
    const gone = new AbortController();
    let session: ControlSession | undefined;
    let heardAt: number | undefined;
    const end = async (why: string) => {
      if (gone.signal.aborted) return;
      gone.abort();
      this.#open.delete(id);
      if (session) sessions.end(session);
      log('debug', 'A WebRTC session ended', { session: id, why });
      await peer.close().catch((error: unknown) => {
        log('warn', 'A WebRTC connection cannot be closed', {
          session: id,
          error: messageOf(error),
        });
      });
    };
    this.#open.set(id, { who, end });
    peer.connectionStateChange.subscribe((state) => {
      if (state !== 'new' && state !== 'connecting' && state !== 'connected') void end(state);
    });
    peer.onDataChannel.subscribe((channel: RTCDataChannel) => {
      if (channel.label !== CHANNEL_LABEL || session) return channel.close();
      const transport = channelTransport(channel, () => void end('closed'));
      session = sessions.begin(who, transport);
      heardAt = clock.elapsed();
      channel.onMessage.subscribe((data) => {
        heardAt = clock.elapsed();
        if (typeof data === 'string') void session?.receive(data);
        else session?.close('notUnderstood');
      });
      channel.stateChanged.subscribe((state) => {
        if (state === 'closed') void end('the channel was closed');
      });
    });
    void this.#endIdle(() => heardAt, end, gone.signal);
  }

  async #endIdle(
    heardAt: () => number | undefined,
    end: (why: string) => Promise<void>,
    gone: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#parts;
    const { openWithinMs, idleMs } = this.#limits;
    await pause(clock, openWithinMs, gone);
    while (!gone.aborted) {
      const last = heardAt();
      const leftMs = last === undefined ? 0 : last + idleMs - clock.elapsed();
      if (leftMs <= 0) return await end(last === undefined ? 'nobody came' : 'idle');
      await pause(clock, leftMs, gone);
    }
  }
}
