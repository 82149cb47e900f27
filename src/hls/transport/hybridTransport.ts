import { systemClock } from '../../core/clock.ts';
import { type HybridHopOptions, hybridHop } from './hybridHop.ts';
import { lazyHop } from './lazyHop.ts';
import { type ClientOptions, leanHop } from './leanHop.ts';
import { type RedirectingTransportOptions, redirectingTransport } from './redirectingTransport.ts';
import type { Transport } from './transport.ts';

export type HybridTransportOptions = ClientOptions &
  RedirectingTransportOptions &
  Pick<HybridHopOptions, 'onFallback'>;

/**
 * The transport of recorders: lean sockets, and undici for proxies, HTTP/2 and what the lean client cannot read. undici
 * is loaded when it is first needed. The environment's `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are not read: a
 * recording must not change its way because of who started it.
 */
export function hybridTransport(options: HybridTransportOptions = {}): Transport {
  const clock = options.clock ?? systemClock;
  const hop = hybridHop({
    clock,
    lean: leanHop(options),
    undici: lazyHop(async () => (await import('./undiciHop.ts')).undiciHop(options)),
    onFallback: (fallback) => options.onFallback?.(fallback),
  });
  return redirectingTransport(hop, options);
}
