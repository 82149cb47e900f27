import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

export interface PumpOptions {
  readonly from: Readable;
  readonly to: Writable;
  readonly clock: Clock;
  /** Called for every piece; returns how long nothing more should follow, milliseconds. */
  passed(bytes: number): number;
}

/** Hands on what comes, as fast as it is taken and as the cap allows, and then the end. Whoever calls handles failures. */
export function pump({ from, to, clock, passed }: PumpOptions): void {
  let holds = 0;
  let timer: unknown;
  const release = () => {
    holds--;
    if (holds === 0) from.resume();
  };
  const hold = () => {
    holds++;
    if (holds === 1) from.pause();
  };
  from.on('data', (bytes: Buffer) => {
    const waitMs = passed(bytes.length);
    if (!to.write(bytes)) {
      hold();
      to.once('drain', release);
    }
    if (waitMs > 0) {
      hold();
      timer = clock.setTimeout(release, waitMs);
    }
  });
  // Its end may have come while somebody else listened.
  if (from.readableEnded) to.end();
  else from.once('end', () => to.end());
  from.once('close', () => clock.clearTimeout(timer));
}
