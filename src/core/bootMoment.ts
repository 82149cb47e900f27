import { readFileSync } from 'node:fs';

/**
 * A moment that no step of the wall clock moves, and that other processes of the same boot of the same machine understand: a
 * monotonic clock means nothing to anybody else.
 */
export interface BootMoment {
  /** Names the boot: the kernel draws it anew each time. */
  readonly boot: string;
  /** The kernel's monotonic clock, milliseconds. It stands still while the machine sleeps. */
  readonly ms: number;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Now; undefined where the kernel does not name its boots. */
export function bootMoment(): BootMoment | undefined {
  try {
    const boot = readFileSync(BOOT_ID, 'latin1').trim();
    // libuv's clock is CLOCK_MONOTONIC itself, which all processes of a machine share.
    return { boot, ms: Number(process.hrtime.bigint() / 1_000_000n) };
  } catch {
    return undefined;
  }
}

/** Milliseconds from then to now; undefined when they are not of one boot, or that cannot be told. */
export function msSince(then: BootMoment, now: BootMoment | undefined): number | undefined {
  if (now === undefined || now.boot !== then.boot || now.ms < then.ms) return undefined;
  return now.ms - then.ms;
}
