import type { LookupFunction } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { EgressPass, PassOptions } from './egressPass.ts';
import type { GateNetwork } from './gateNetwork.ts';
import { GatePass } from './gatePass.ts';
import { GateProxy } from './gateProxy.ts';
import { IdleWatch } from './idleWatch.ts';

export type { EgressPass, PassOptions } from './egressPass.ts';
export type { GateNetwork } from './gateNetwork.ts';

/** The guarded way out of all programs of one process. */
export interface EgressGate {
  /**
   * `network`: where the program is; its proxy listens there. One listener serves all passes of a network. Rejects as the
   * network does, and with `usage.invalid` when the cap on bandwidth or the upstream proxy is none.
   */
  pass(network: GateNetwork, options: PassOptions): Promise<EgressPass>;
  /** Ends all passes and listeners. */
  close(): Promise<void>;
}

export interface EgressGateOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How names are resolved. Default: by the system. */
  readonly lookup?: LookupFunction;
}

interface Listener {
  readonly proxy: GateProxy;
  readonly host: string;
  readonly port: number;
}

/** A network's listener, perhaps not open yet. */
interface Opening {
  readonly listener: Promise<Listener>;
  opened?: Listener;
}

/** Makes the gate. Listeners and passes are opened as they are asked for. */
export function egressGate({ clock, log, lookup }: EgressGateOptions): EgressGate {
  const watch = new IdleWatch(clock);
  const openings = new Map<GateNetwork, Opening>();
  const proxies = new Set<GateProxy>();
  const passes = new Set<GatePass>();
  let isClosed = false;

  async function open(network: GateNetwork): Promise<Listener> {
    const { server, host, port } = await network.tcp();
    const proxy: GateProxy = new GateProxy({
      server,
      watch,
      log,
      gone: () => void proxies.delete(proxy),
    });
    proxies.add(proxy);
    return { proxy, host, port };
  }

  function listenerOf(network: GateNetwork): Promise<Listener> {
    const known = openings.get(network);
    // A listener that is gone was closed with its network, or with the keeper of that.
    if (known !== undefined && known.opened?.proxy.isListening !== false) return known.listener;
    const opening: Opening = { listener: open(network) };
    openings.set(network, opening);
    opening.listener.then(
      (opened) => {
        opening.opened = opened;
      },
      () => openings.delete(network),
    );
    return opening.listener;
  }

  async function pass(network: GateNetwork, options: PassOptions): Promise<EgressPass> {
    check(options);
    const { proxy, host, port } = await listenerOf(network);
    if (isClosed) throw new KennelError('limit.exceeded', 'the egress gate is closed');
    const closed = (one: GatePass) => {
      passes.delete(one);
      proxy.dismiss(one);
    };
    const made = new GatePass({
      ...options,
      network,
      host,
      port,
      clock,
      log,
      watch,
      lookup,
      closed,
    });
    passes.add(made);
    proxy.admit(made);
    return made;
  }

  async function close(): Promise<void> {
    isClosed = true;
    for (const one of passes) one.close();
    // One that could not be opened has nothing to close; whoever asked for it was told.
    await Promise.allSettled([...openings.values()].map(({ listener }) => listener));
    await Promise.all([...proxies].map((proxy) => proxy.close()));
    watch.close();
  }

  return { pass, close };
}

function check({ bytesPerSecondMax: cap, upstream }: PassOptions): void {
  if (cap !== undefined && !(cap > 0)) {
    throw new KennelError('usage.invalid', 'a cap on bandwidth must be more than nothing');
  }
  if (upstream !== undefined && !/^https?:$/.test(upstream.protocol)) {
    throw new KennelError(
      'usage.invalid',
      `a proxy must be an http or https link, not ${upstream.protocol}`,
    );
  }
}
