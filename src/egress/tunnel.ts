import type { Socket } from 'node:net';
import { HALF_OPEN_MS_MAX, IDLE_MS_MAX } from './egressLimits.ts';
import type { IdleWatch } from './idleWatch.ts';
import type { PassMeter } from './passMeter.ts';
import { pump } from './pump.ts';

export interface TunnelOptions {
  /** The program's end. */
  readonly inner: Socket;
  readonly outer: Socket;
  readonly meter: PassMeter;
  readonly watch: IdleWatch;
}

/** Joins two sockets until both directions have ended, one fails, or both are silent for too long. */
export function tunnel({ inner, outer, meter, watch }: TunnelOptions): void {
  const { clock } = meter;
  const halfOpen = () => watch.watch(outer, HALF_OPEN_MS_MAX);
  for (const [one, other] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    one.once('end', halfOpen);
    // What has come already is still handed on.
    one.once('close', () => other.destroySoon());
    if (one.destroyed) other.destroySoon();
  }
  watch.watch(inner, Number.POSITIVE_INFINITY);
  watch.watch(outer, inner.readableEnded ? HALF_OPEN_MS_MAX : IDLE_MS_MAX);
  pump({ from: outer, to: inner, clock, passed: meter.received });
  pump({ from: inner, to: outer, clock, passed: meter.sent });
}
