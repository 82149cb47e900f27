import { type BootMoment, bootMoment } from './bootMoment.ts';

/** Time as the rest of Kennel sees it. Tests and the simulator pass their own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May step; use it for dates, never for durations. */
  now(): number;
  /** Monotonic milliseconds since an arbitrary start: never steps. */
  elapsed(): number;
  /** Now, in words that the next process understands however the wall clock is set meanwhile. Absent: nobody can tell. */
  boot?(): BootMoment | undefined;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  boot: bootMoment,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Resolves after `delayMs`, or at once when the signal aborts; it never rejects. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.setTimeout(finish, delayMs);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
