import type { ByteRange } from './model.ts';
import { wholeNumber } from './playlistNumbers.ts';

/** Reads byte ranges, also those that go on where the last one of the same resource ended. */
export class ByteRanges {
  /** Where the last range of each resource ended, by its address. */
  readonly #ends = new Map<string, number>();

  /** `<length>[@<offset>]` of a segment; undefined when it is empty, cannot be read, or nothing says where it begins. */
  ofSegment(text: string, address: string): ByteRange | undefined {
    const range = parse(text, this.#ends.get(address));
    if (range !== undefined) this.ended(address, range);
    return range?.length === 0 ? undefined : range;
  }

  /**
   * The same of an initialisation section, which begins at 0 when it does not say it. Media that follow it in the same resource
   * without an offset begin where it ends; when there were media before, they go on where those ended.
   */
  ofInit(text: string, address: string): ByteRange | undefined {
    const range = parse(text, 0);
    if (range !== undefined && !this.#ends.has(address)) this.ended(address, range);
    return range?.length === 0 ? undefined : range;
  }

  ended(address: string, { offset, length }: ByteRange): void {
    this.#ends.set(address, offset + length);
  }
}

function parse(text: string, implied: number | undefined): ByteRange | undefined {
  const [first = '', second] = text.split('@');
  const length = wholeNumber(first.trim());
  const offset = second === undefined ? implied : wholeNumber(second.trim());
  if (length === undefined || offset === undefined) return undefined;
  return Number.isSafeInteger(offset + length) ? { offset, length } : undefined;
}
