import { instant } from './playlistNumbers.ts';

export const DATE_TAG = '#EXT-X-PROGRAM-DATE-TIME:';

/**
 * The date that a head hands on to the first segment that is kept. Reading a date costs more than finding its line, and only the
 * last one counts, so that is the only one that is read.
 */
export class HeadDate {
  readonly #text: string;
  #start = -1;
  #end = -1;
  #sinceMs = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What looks like an EXT-X-PROGRAM-DATE-TIME, its value at this place of the text. */
  begin(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
    this.#sinceMs = 0;
  }

  /** A discontinuity: nothing is known any more. */
  forget(): void {
    this.#start = -1;
  }

  /** A segment of the head. */
  pass(durationMs: number): void {
    this.#sinceMs += durationMs;
  }

  /** The date after all that was passed; `unreadable`: the line that counts is none, and one before it may be. */
  get handedOn(): number | 'unreadable' | undefined {
    if (this.#start === -1) return undefined;
    const isDate = this.#text.startsWith(DATE_TAG, this.#start - DATE_TAG.length);
    const at = isDate ? instant(this.#text.slice(this.#start, this.#end)) : undefined;
    return at === undefined ? 'unreadable' : at + this.#sinceMs;
  }
}
