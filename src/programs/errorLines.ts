import { StringDecoder } from 'node:string_decoder';

/** Kept of what a program said, characters: its end says why it failed, and 16 K is some 200 lines. */
export const ERROR_TAIL_CHARACTERS = 16 * 1024;
/** A longer line is cut: no tool says anything in so many words, and a program that never ends its line must not fill the memory. */
const LINE_CHARACTERS_MAX = 8 * 1024;

/** The standard error of one program, line by line. Progress is drawn with carriage returns: those end a line too. */
export class ErrorLines {
  readonly #hear: (line: string) => 'keep' | 'drop';
  readonly #decoder = new StringDecoder('utf8');
  #open = '';
  readonly #kept: string[] = [];
  #keptCharacters = 0;

  /** `hear`: is told each line; what is to be dropped says nothing about an end, such as a report of progress. */
  constructor(hear: (line: string) => 'keep' | 'drop') {
    this.#hear = hear;
  }

  take(bytes: Buffer): void {
    const lines = (this.#open + this.#decoder.write(bytes)).split(/[\r\n]+/);
    this.#open = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
    for (const line of lines) this.#take(line.slice(0, LINE_CHARACTERS_MAX));
  }

  /** Nothing more comes. */
  end(): void {
    this.#take(this.#open);
    this.#open = '';
  }

  /** The last lines, whole: half of an address may be the half with its secret. */
  get tail(): string {
    return this.#kept.join('');
  }

  #take(line: string): void {
    if (line === '' || this.#hear(line) === 'drop') return;
    this.#kept.push(`${line}\n`);
    this.#keptCharacters += line.length + 1;
    while (this.#keptCharacters > ERROR_TAIL_CHARACTERS) {
      this.#keptCharacters -= this.#kept.shift()?.length ?? 0;
    }
  }
}
