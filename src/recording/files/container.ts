import { KennelError } from '../../core/errors.ts';
import { TS_SYNC, TsWalk } from './tsWalk.ts';

export type Container = 'ts' | 'fmp4' | 'packed' | 'webvtt';
/** What a file is expected to be. `init`: an initialisation section; `any`: a media segment of any container. */
export type ExpectedContainer = Container | 'init' | 'any';

/** What a container can be told by: the longest box header, and more than any other mark needs. */
const SNIFF_BYTES = 16;

/**
 * Boxes of one file, not counting those within others. The most have segments with a moof and a mdat for each frame: at 60 frames/s
 * these are nine minutes. Made of empty boxes, a segment of 512 MB kept a processor busy for minutes.
 */
const BOXES_MAX = 65_536;

/** Boxes that a fragmented MP4 file, segment or section can begin with. */
const FIRST_BOXES = new Set(
  'ftyp styp moof moov sidx ssix emsg prft free skip wide mdat uuid pdin meta'.split(' '),
);

/** Marks of what origins send in place of media, for the reader of an error. */
const LOOKS_LIKE: readonly (readonly [RegExp, string])[] = [
  [/^[\s\xef\xbb\xbf]*<(?:!doctype html|html|head|body|script)/i, 'html'],
  [/^[\s\xef\xbb\xbf]*</, 'xml'],
  [/^(?:\xef\xbb\xbf)?#EXTM3U/, 'playlist'],
  [/^\s*[{[]/, 'json'],
  [/^\x89PNG|^\xff\xd8\xff|^GIF8/, 'image'],
  [/^[\t\r\n\x20-\x7e]+$/, 'text'],
];

/** Tells a media file by its first bytes (16 are enough); undefined when it is none that Kennel stores. */
export function sniffContainer(firstBytes: Uint8Array): Container | undefined {
  if (firstBytes[0] === TS_SYNC) return 'ts';
  const text = Buffer.from(firstBytes.subarray(0, 8)).toString('latin1');
  if (FIRST_BOXES.has(text.slice(4, 8))) return 'fmp4';
  // An ID3 tag (which carries the timestamp of packed audio, RFC 8216 §3.4), AC-3, or the sync word of ADTS or MPEG audio.
  if (text.startsWith('ID3') || text.startsWith('\x0b\x77')) return 'packed';
  if (isAudioFrame(firstBytes)) return 'packed';
  return isWebvtt(firstBytes) ? 'webvtt' : undefined;
}

/** Its signature (WebVTT §4.1): alone in its line, a byte order mark before it and words after it. Nothing else need follow. */
function isWebvtt(firstBytes: Uint8Array): boolean {
  const text = Buffer.from(firstBytes.subarray(0, SNIFF_BYTES)).toString('latin1');
  return /^(?:\xef\xbb\xbf)?WEBVTT(?:[ \t\r\n]|$)/.test(text);
}

/** Whether a frame header of ADTS (ISO 13818-7) or MPEG audio (ISO 11172-3) begins here, reserved values excluded. */
function isAudioFrame([first = 0, second = 0, third = 0]: Uint8Array): boolean {
  if (first !== 0xff) return false;
  if ((second & 0xf6) === 0xf0) return true;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  const bitRate = third >> 4;
  const sampleRate = (third >> 2) & 3;
  return (
    (second & 0xe0) === 0xe0 && version !== 1 && layer !== 0 && bitRate !== 15 && sampleRate !== 3
  );
}

/**
 * Checks a file while it streams by, in pieces of any size. MPEG-TS: every packet begins with the sync byte and the last one
 * is whole. Fragmented MP4: boxes cover the file exactly; a segment has moof and mdat, an init section moov. Packed audio
 * and WebVTT: it begins as such.
 */
export class ContainerCheck {
  readonly #expected: ExpectedContainer;
  /** The first bytes, until there are enough to tell the container. */
  #head: Buffer = Buffer.alloc(0);
  #container: Container | undefined;
  #walk: TsWalk | BoxWalk | undefined;

  constructor(expected: ExpectedContainer) {
    this.#expected = expected;
  }

  feed(bytes: Buffer): void {
    if (this.#container !== undefined) {
      this.#walk?.feed(bytes);
    } else if (this.#head.length < SNIFF_BYTES) {
      const start = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
      this.#head = Buffer.from(start.subarray(0, 256));
      if (start.length >= SNIFF_BYTES) this.#begin(start);
    }
  }

  /** How long its media lasts by its timestamps, milliseconds; undefined where that is not measured (only MPEG-TS is). */
  get spanMs(): number | undefined {
    return this.#walk instanceof TsWalk ? this.#walk.spanMs : undefined;
  }

  /** The container. Throws `segment.invalid` when the file is empty, no media, torn, or not what was expected. */
  finish(): Container {
    if (this.#container === undefined && this.#head.length < SNIFF_BYTES) this.#begin(this.#head);
    if (this.#head.length === 0) throw invalid('it is empty');
    if (this.#container === undefined) {
      const text = this.#head.toString('latin1');
      const looksLike = LOOKS_LIKE.find(([mark]) => mark.test(text))?.[1] ?? 'unknown';
      throw invalid(`it is no media: it looks like ${looksLike}`, { looksLike });
    }
    const wrong = this.#expectationFailed(this.#container);
    if (wrong) throw invalid(`it is ${this.#container}, not ${this.#expected}`);
    const flaw = this.#walk?.flaw(this.#expected === 'init' ? ['moov'] : ['moof', 'mdat']);
    if (flaw !== undefined) throw invalid(flaw, { container: this.#container });
    return this.#container;
  }

  #expectationFailed(container: Container): boolean {
    if (this.#expected === 'any') return false;
    // MPEG-TS has initialisation sections too (its PAT and PMT); packed audio and WebVTT have none.
    if (this.#expected === 'init') return container === 'packed' || container === 'webvtt';
    return this.#expected !== container;
  }

  #begin(start: Buffer): void {
    this.#container = sniffContainer(start);
    if (this.#container === 'ts') this.#walk = new TsWalk();
    else if (this.#container === 'fmp4') this.#walk = new BoxWalk();
    this.#walk?.feed(start);
  }
}

class BoxWalk {
  readonly #types = new Set<string>();
  #boxes = 0;
  /** The start of a box header whose rest has not come yet. */
  #header: Buffer = Buffer.alloc(0);
  /** Bytes left of the box; infinite for a last box that says it ends with the file. */
  #left = 0;
  #flaw: string | undefined;

  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#flaw === undefined) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - at);
        this.#left -= skipped;
        at += skipped;
      } else {
        const before = this.#header.length;
        const wanted = before >= 8 ? 16 : 8;
        this.#header = Buffer.concat([this.#header, bytes.subarray(at, at + wanted - before)]);
        at += this.#header.length - before;
        if (this.#header.length === wanted) this.#takeHeader(this.#header);
      }
    }
  }

  flaw(boxes: readonly string[]): string | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    if (this.#header.length > 0) return 'it ends within the header of a box';
    if (this.#left > 0 && Number.isFinite(this.#left))
      return `its last box lacks ${this.#left} bytes`;
    const missing = boxes.find((box) => !this.#types.has(box));
    return missing === undefined ? undefined : `it has no ${missing} box`;
  }

  #takeHeader(header: Buffer): void {
    const size = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    if (size === 1 && header.length === 8) return; // The 64-bit size follows.
    const total = size === 1 ? Number(header.readBigUInt64BE(8)) : size;
    if (!/^[\x20-\x7e]{4}$/.test(type) || (size !== 0 && total < header.length)) {
      this.#flaw = 'its boxes do not add up';
      return;
    }
    if (++this.#boxes > BOXES_MAX) {
      this.#flaw = `it has more than ${BOXES_MAX} boxes`;
      return;
    }
    this.#types.add(type);
    this.#left = size === 0 ? Number.POSITIVE_INFINITY : total - header.length;
    this.#header = Buffer.alloc(0);
  }
}

/** A body that is no whole media segment. Another try may get a better one. */
export const invalid = (
  reason: string,
  details: Readonly<Record<string, unknown>> = {},
): KennelError =>
  new KennelError('segment.invalid', `what the origin sent is no whole segment: ${reason}`, {
    retryable: true,
    details: { reason, ...details },
  });
