import type { Clock } from '../core/clock.ts';
import { UDP_BUFFER_BYTES, UDP_HELD_MS_MAX } from './egressLimits.ts';

export interface DatagramHoldOptions {
  readonly clock: Clock;
  /** Called for every datagram that is handed on; returns how long nothing more should follow, milliseconds. */
  passed(bytes: number): number;
}

interface HeldDatagram {
  readonly at: number;
  readonly bytes: number;
  send(): void;
}

/**
 * Hands datagrams on as the cap on bandwidth allows. They are delayed first, which a burst such as a key frame survives whole: SRT
 * would ask for what was dropped once more, and that takes a part of the cap as well. What would come later than SRT waits for is
 * dropped, oldest first: who sends more than the cap for good sees loss, which is what SRT takes for congestion.
 */
export class DatagramHold {
  readonly #options: DatagramHoldOptions;
  #held: HeldDatagram[] = [];
  #heldBytes = 0;
  #timer: unknown;

  constructor(options: DatagramHoldOptions) {
    this.#options = options;
  }

  /** Calls `send` now or later, or never. */
  handOn(bytes: number, send: () => void): void {
    if (this.#timer === undefined) {
      this.#hand({ bytes, send });
      return;
    }
    const at = this.#options.clock.elapsed();
    this.#dropLate(at);
    if (this.#heldBytes + bytes > UDP_BUFFER_BYTES) return;
    this.#held.push({ at, bytes, send });
    this.#heldBytes += bytes;
  }

  /** Nothing is handed on any more. */
  close(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #hand({ bytes, send }: Pick<HeldDatagram, 'bytes' | 'send'>): void {
    const { clock, passed } = this.#options;
    const waitMs = passed(bytes);
    send();
    if (waitMs > 0) this.#timer = clock.setTimeout(() => this.#goOn(), waitMs);
  }

  #goOn(): void {
    this.#timer = undefined;
    this.#dropLate(this.#options.clock.elapsed());
    while (this.#timer === undefined) {
      const next = this.#take();
      if (next === undefined) return;
      this.#hand(next);
    }
  }

  #dropLate(now: number): void {
    for (let [first] = this.#held; first !== undefined; [first] = this.#held) {
      if (now - first.at <= UDP_HELD_MS_MAX) return;
      this.#take();
    }
  }

  #take(): HeldDatagram | undefined {
    const first = this.#held.shift();
    this.#heldBytes -= first?.bytes ?? 0;
    return first;
  }
}
