import { isKennelError } from '../core/errors.ts';
import { checkLiteralAddress } from './guardedLookup.ts';
import { permittedAddress } from './permittedAddress.ts';
import type { Relay, RelayOptions } from './relay.ts';
import { tunnel } from './tunnel.ts';

/**
 * Listens for a program and connects each of its connections to the target. Rejects with `address.refused`, and as the network
 * does. A name that cannot be resolved now may be there later: the program sees its connections fail meanwhile.
 */
export async function relayTcp(options: RelayOptions): Promise<Relay> {
  const { pass, target, network, rules, upstream, lookup } = options;
  checkLiteralAddress(target, rules);
  if (upstream === undefined) {
    await permittedAddress(target, rules, lookup).catch((error: unknown) => {
      if (isKennelError(error) && error.code === 'address.refused') throw error;
    });
  }
  const { server, host, port } = await network.tcp();
  server.on('error', () => undefined);
  server.on('connection', (inner) => {
    inner.on('error', () => undefined);
    inner.allowHalfOpen = true;
    inner.setNoDelay(true);
    pass.hold(inner);
    pass.dial(target).then(
      (outer) => tunnel({ inner, outer, meter: pass.meter, watch: pass.watch }),
      () => inner.resetAndDestroy(),
    );
  });
  return { host, port, close: () => void server.close() };
}
