import { randomBytes } from 'node:crypto';
import type { LookupFunction, Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { isKennelError, KennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type DialOptions, dial, type Target } from './dial.ts';
import { CONNECTIONS_PER_PASS_MAX, REFUSED_KEPT } from './egressLimits.ts';
import type { EgressPass, PassOptions } from './egressPass.ts';
import type { GateNetwork } from './gateNetwork.ts';
import type { IdleWatch } from './idleWatch.ts';
import { OriginClient } from './originClient.ts';
import { PassMeter } from './passMeter.ts';
import { isSameSecret } from './proxyAuthorization.ts';
import { targetName } from './refusedAddress.ts';
import { relayTcp } from './relayTcp.ts';
import { relayUdp } from './relayUdp.ts';

export interface GatePassOptions extends PassOptions {
  readonly network: GateNetwork;
  /** Where its proxy listens. */
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly watch: IdleWatch;
  readonly lookup: LookupFunction | undefined;
  closed(pass: GatePass): void;
}

/** One program's way out, as the parts of the gate see it. */
export class GatePass implements EgressPass {
  /** The user of its proxy; no secret. */
  readonly user = randomBytes(8).toString('hex');
  readonly proxyUrl: string;
  readonly meter: PassMeter;
  readonly client: OriginClient;
  readonly watch: IdleWatch;
  readonly #options: GatePassOptions;
  readonly #secret = randomBytes(24).toString('hex');
  /** Of both sides. */
  readonly #sockets = new Set<Socket>();
  readonly #relays = new Set<{ close(): void }>();
  #refused: readonly string[] = [];
  #connections = 0;
  #isClosed = false;

  constructor(options: GatePassOptions) {
    const { host, port, clock, bytesPerSecondMax, watch } = options;
    this.#options = options;
    this.watch = watch;
    this.meter = new PassMeter(clock, bytesPerSecondMax);
    this.proxyUrl = `http://${this.user}:${this.#secret}@${targetName({ host, port })}`;
    this.client = new OriginClient({ ...options, opened: (socket) => this.hold(socket) });
  }

  get receivedBytes(): number {
    return this.meter.receivedBytes;
  }

  get sentBytes(): number {
    return this.meter.sentBytes;
  }

  get refused(): readonly string[] {
    return this.#refused;
  }

  admits(secret: string): boolean {
    return !this.#isClosed && isSameSecret(secret, this.#secret);
  }

  async relay({
    protocol,
    host,
    port,
  }: Target & { readonly protocol: 'tcp' | 'udp' }): Promise<{ host: string; port: number }> {
    const { network, upstream, lookup, rules } = this.#options;
    const options = { pass: this, target: { host, port }, network, upstream, lookup, rules };
    const relay = await this.#noting({ host, port }, async () =>
      protocol === 'tcp' ? await relayTcp(options) : await relayUdp(options),
    );
    if (this.#isClosed) {
      relay.close();
      throw new KennelError('limit.exceeded', 'the pass was closed meanwhile');
    }
    this.#relays.add(relay);
    return { host: relay.host, port: relay.port };
  }

  /** As `dial` rejects, and with `limit.exceeded` when it has too many connections already. */
  async dial(target: Target): Promise<Socket> {
    const { rules, upstream, lookup, clock } = this.#options;
    const opened = (socket: Socket) => this.hold(socket);
    const options: DialOptions = { rules, upstream, lookup, clock, opened };
    return await this.counted(target, async () => {
      const socket = await dial(target, options);
      const over = Promise.withResolvers<void>();
      socket.once('close', () => over.resolve());
      if (socket.destroyed) over.resolve();
      return { value: socket, over: over.promise };
    });
  }

  /** Counts a connection from its beginning until it is over, and remembers it when it is refused. */
  async counted<Value>(
    target: Target,
    begin: () => Promise<{ readonly value: Value; readonly over: Promise<unknown> }>,
  ): Promise<Value> {
    if (this.#isClosed || this.#connections >= CONNECTIONS_PER_PASS_MAX) {
      throw new KennelError(
        'limit.exceeded',
        `more than ${CONNECTIONS_PER_PASS_MAX} connections at once`,
        { retryable: true },
      );
    }
    this.#connections++;
    const done = () => {
      this.#connections--;
    };
    try {
      const { value, over } = await this.#noting(target, begin);
      void over.then(done, done);
      return value;
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Ends with the pass. */
  hold(socket: Socket): void {
    if (this.#isClosed) socket.destroy();
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.client.close();
    for (const relay of this.#relays) relay.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#options.closed(this);
  }

  async #noting<Value>(target: Target, run: () => Promise<Value>): Promise<Value> {
    try {
      return await run();
    } catch (error) {
      if (isKennelError(error) && error.code === 'address.refused') this.#note(targetName(target));
      throw error;
    }
  }

  #note(target: string): void {
    if (!this.#refused.includes(target)) {
      this.#options.log('warn', 'A program was kept from an address that is not permitted.', {
        target,
      });
    }
    const others = this.#refused.filter((one) => one !== target);
    this.#refused = [...others, target].slice(-REFUSED_KEPT);
  }
}
