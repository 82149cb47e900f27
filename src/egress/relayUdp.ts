import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { KennelError } from '../core/errors.ts';
import { DatagramHold } from './datagramHold.ts';
import { UDP_BUFFER_BYTES, UDP_FLOW_IDLE_MS } from './egressLimits.ts';
import { permittedAddress } from './permittedAddress.ts';
import type { Relay, RelayOptions } from './relay.ts';

/**
 * Hands the datagrams of one flow on to the target, and the target's back, these as the cap on bandwidth allows: `DatagramHold`
 * delays what is above it for as long as SRT waits, and drops what would be later. Rejects with `address.refused`, with
 * `source.unavailable` when its name has no address, with `usage.invalid` when everything is to go through an HTTP proxy, and as
 * the network does.
 */
export async function relayUdp(options: RelayOptions): Promise<Relay> {
  const { pass, target, network, rules, upstream, lookup } = options;
  if (upstream !== undefined) {
    throw new KennelError(
      'usage.invalid',
      'an HTTP proxy carries no UDP; record this link without a proxy',
    );
  }
  const { address, family } = await permittedAddress(target, rules, lookup);
  const outer = await connected(family, { address, port: target.port });
  const {
    socket: inner,
    host,
    port,
  } = await network.udp().catch((error: unknown) => {
    outer.close();
    throw error;
  });
  const { meter } = pass;
  const hold = new DatagramHold({ clock: meter.clock, passed: meter.received });
  let flow: RemoteInfo | undefined;
  let lastAt = 0;
  inner.on('error', () => undefined);
  inner.on('message', (datagram, from) => {
    const now = meter.clock.elapsed();
    const isSame = flow?.port === from.port && flow.address === from.address;
    if (!isSame && flow !== undefined && now - lastAt < UDP_FLOW_IDLE_MS) return;
    flow = from;
    lastAt = now;
    meter.sent(datagram.length);
    outer.send(datagram, ignored);
  });
  outer.on('message', (datagram) => {
    if (flow === undefined) return;
    const to = flow;
    hold.handOn(datagram.length, () => inner.send(datagram, to.port, to.address, ignored));
  });
  let isOpen = true;
  inner.once('close', () => {
    isOpen = false;
    hold.close();
    outer.close();
  });
  return { host, port, close: () => void (isOpen && inner.close()) };
}

/** What cannot be sent is lost, as datagrams are. */
const ignored = () => undefined;

/** A connected socket hears from nobody but the target. */
async function connected(
  family: number,
  to: { readonly address: string; readonly port: number },
): Promise<Socket> {
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: UDP_BUFFER_BYTES,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(to.port, to.address, () => {
      socket.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw new KennelError('source.unavailable', `${to.address} cannot be reached`, {
      cause: error,
      retryable: true,
    });
  });
  // A target that does not listen answers so; it may listen later.
  socket.on('error', () => undefined);
  return socket;
}
