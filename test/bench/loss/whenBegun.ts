import type { ShowClock } from '../../support/origin/showClock.ts';

/** Resolves when the clock begins, or, if nobody begins it, after so long. */
export function whenBegun(clock: ShowClock, patienceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    clock.onBegin(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
