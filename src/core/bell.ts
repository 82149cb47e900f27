import type { Clock } from './clock.ts';

/**
 * Wakes one who waits for something to happen or for a time to pass. An AbortController for each wait did the same for ten times
 * the work: its event, its listeners, and an error with a stack trace that nobody reads.
 */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  /** What rings while nobody waits is heard by the next who does; once, however often it rang. */
  ring(): void {
    if (this.#wake === undefined) this.#isRung = true;
    else this.#wake();
  }

  /** Resolves when it rings, or after `delayMs`. One at a time may wait. */
  async wait(clock: Clock, delayMs: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, delayMs);
        this.#wake = () => {
          clock.clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#isRung = false;
  }
}
