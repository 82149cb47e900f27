import type { Clock } from '../../core/clock.ts';
import { ORIGINS_REMEMBERED_MAX } from './limits.ts';

/** A word about origins, each for its time; at most `ORIGINS_REMEMBERED_MAX`, the least recently named goes first. */
export class RecentOrigins<Word> {
  readonly #clock: Clock;
  readonly #words = new Map<string, { readonly word: Word; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(origin: string): Word | undefined {
    const known = this.#words.get(origin);
    if (known === undefined) return undefined;
    if (known.until > this.#clock.elapsed()) return known.word;
    this.#words.delete(origin);
    return undefined;
  }

  set(origin: string, word: Word, forMs: number): void {
    this.#words.delete(origin);
    this.#words.set(origin, { word, until: this.#clock.elapsed() + forMs });
    const [oldest] = this.#words.keys();
    if (this.#words.size > ORIGINS_REMEMBERED_MAX && oldest !== undefined) {
      this.#words.delete(oldest);
    }
  }
}
