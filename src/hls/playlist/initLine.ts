import type { Attributes } from './attributes.ts';
import type { ByteRanges } from './byteRanges.ts';
import { invalidPlaylist } from './invalidPlaylist.ts';
import type { KeySet } from './keySet.ts';
import type { ByteRange, InitSection } from './model.ts';
import { httpUrl } from './segmentIdentity.ts';

/** An EXT-X-MAP, with the keys that are in force where it stands. It is judged only when a segment needs it. */
export class InitLine {
  readonly #url: URL | undefined;
  readonly #range: ByteRange | 'unknown' | undefined;
  readonly #keys: KeySet;
  #section: InitSection | undefined;

  constructor(attributes: Attributes, around: { base: URL; keys: KeySet; ranges: ByteRanges }) {
    const range = attributes.get('BYTERANGE');
    this.#url = httpUrl(attributes.get('URI'), around.base);
    if (range !== undefined) {
      this.#range = around.ranges.ofInit(range, this.#url?.href ?? '') ?? 'unknown';
    }
    this.#keys = around.keys;
  }

  /** Throws `playlist.invalid` when it cannot be fetched, `source.encrypted`. The same object each time. */
  get section(): InitSection {
    this.#section ??= this.#judge();
    return this.#section;
  }

  #judge(): InitSection {
    const url = this.#url;
    const range = this.#range;
    if (url === undefined) throw invalidPlaylist('an EXT-X-MAP has no usable address');
    if (range === 'unknown') throw invalidPlaylist('an EXT-X-MAP has an unreadable byte range');
    const key = this.#keys.encryption;
    // An encrypted section must have its IV named (RFC 8216 §4.3.2.5), as it has no number to derive one from. Where there is none
    // the section is clear: origins that encrypt segments alone write it so.
    const isEncrypted = key?.iv !== undefined;
    return { url, ...(range && { range }), ...(isEncrypted && { key }) };
  }
}
