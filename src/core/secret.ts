import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** A text that nobody gets to see by accident: JSON, logs, templates and `util.inspect` show that there is one, and no more. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one place that needs it. */
  reveal(): string {
    return this.#text;
  }

  /** Whether both hide the same text. */
  equals(other: unknown): boolean {
    return other instanceof Secret && other.#text === this.#text;
  }

  toJSON(): string {
    return REDACTED;
  }

  toString(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
