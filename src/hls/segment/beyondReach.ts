import { isKennelError, type KennelError } from '../../core/errors.ts';
import type { FetchOrder } from '../planner/queue.ts';
import type { TakenSegment, Taker } from '../recordingPorts.ts';

/** The first segments of a playlist may lead elsewhere than the rest, an advertisement for example; so many agree by no accident. */
const REFUSED_MIN = 3;

export interface BeyondReachOptions {
  readonly taker: Taker;
  /** Whether there is nothing worth recording without this track, and no other source of it. */
  isAlone(track: string): boolean;
  /** Called once, with what the operator has to allow. */
  onRefused(refusal: KennelError): void;
}

/**
 * A recording whose playlist may be read, and of whose segments the address rules permit none, would name gaps for hours. Whoever
 * could allow the address is told instead, before anything else was stored.
 */
export class BeyondReach implements Taker {
  readonly #options: BeyondReachOptions;
  #flying = 0;
  #refused = 0;
  #isOver = false;

  constructor(options: BeyondReachOptions) {
    this.#options = options;
  }

  async take(order: FetchOrder, signal: AbortSignal, landed: () => void): Promise<TakenSegment> {
    const { taker, isAlone, onRefused } = this.#options;
    let refusal: KennelError | undefined;
    this.#flying++;
    try {
      return await taker.take(order, signal, landed);
    } catch (error) {
      if (isKennelError(error) && error.code === 'address.refused') refusal = error;
      throw error;
    } finally {
      this.#flying--;
      if (refusal === undefined) this.#isOver = true;
      else if (isAlone(order.key.track)) this.#refused++;
      if (refusal && !this.#isOver && this.#flying === 0 && this.#refused >= REFUSED_MIN) {
        this.#isOver = true;
        onRefused(refusal);
      }
    }
  }
}
