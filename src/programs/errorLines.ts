import { StringDecoder } from 'node:string_decoder';

/** Kept of what a program said, characters: its end says why it failed, and 16 K is some 200 lines. */
export const ERROR_TAIL_CHARACTERS = 16 * 1024;
/** A longer line is cut: no tool says anything in so many words, and a program that never ends its line must not fill the memory. */
const LINE_CHARACTERS_MAX = 8 * 1024;

/** The standard error of one program, line by line. Progress is drawn with carriage returns: those end a line too. */
export class ErrorLines {
  readonly #hear: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #open = '';
  #tail = '';

  constructor(hear: (line: string) => void) {
    this.#hear = hear;
  }

  take(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    this.#tail += text;
    // Cut at twice the length, so that each character is moved once on average.
    if (this.#tail.length > 2 * ERROR_TAIL_CHARACTERS) {
      this.#tail = this.#tail.slice(-ERROR_TAIL_CHARACTERS);
    }
    const lines = (this.#open + text).split(/[\r\n]+/);
    this.#open = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
    for (const line of lines) if (line !== '') this.#hear(line.slice(0, LINE_CHARACTERS_MAX));
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#open !== '') this.#hear(this.#open);
    this.#open = '';
  }

  get tail(): string {
    return this.#tail.slice(-ERROR_TAIL_CHARACTERS);
  }
}
