import { GrowingBuffer } from './growingBuffer.ts';
import {
  CHUNK_EXTENSION_BYTES_MAX,
  CHUNK_LINE_BYTES_MAX,
  HEAD_BYTES_MAX,
  INTERIM_ANSWERS_MAX,
  TRAILER_BYTES_MAX,
} from './limits.ts';
import { FIELD_LINE, parseResponseHead, type ResponseHead } from './responseHead.ts';
import { malformed, unavailable } from './transportError.ts';

/** At most 13 hex digits: larger sizes would not be exact numbers. */
const CHUNK_LINE = /^([\da-fA-F]{1,13})[ \t]*((?:;[\t\x20-\x7e\x80-\xff]*)?)\r$/;

/** What every answer begins with. */
const HEAD_START = 'HTTP/1.';
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const isLineEnd = (byte: number | undefined): boolean =>
  byte === CARRIAGE_RETURN || byte === LINE_FEED;

export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** The bytes are a view of what was fed, valid during the call only. */
  onBody(bytes: Buffer): void;
}

/**
 * Reads one HTTP/1.1 answer to a GET from pieces of any size. Strict where leniency could shorten or lengthen a body:
 * every deviation throws `source.unavailable`, with `details.truncated` when the body ended before its announced end.
 * What the sink throws passes through. After anything was thrown, the parser must not be fed again.
 */
export class ResponseParser {
  readonly #host: string;
  readonly #sink: ResponseSink;
  #state: 'head' | 'counted' | 'untilClose' | 'chunkLine' | 'chunkEnd' | 'trailer' | 'done' =
    'head';
  /** The start of a head or a line whose end has not come yet. */
  readonly #carry = new GrowingBuffer();
  /** Bytes left of the body, or of the current chunk. */
  #left = 0;
  #chunked = false;
  #interimAnswers = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #begun = false;

  constructor(host: string, sink: ResponseSink) {
    this.#host = host;
    this.#sink = sink;
  }

  /** Whether any byte of the answer has come. */
  get begun(): boolean {
    return this.#begun;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  feed(bytes: Buffer): void {
    let at = 0;
    this.#begun ||= bytes.length > 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(bytes, at);
          break;
        case 'counted':
          at = this.#readCounted(bytes, at);
          break;
        case 'untilClose':
          this.#sink.onBody(at === 0 ? bytes : bytes.subarray(at));
          return;
        case 'chunkLine':
        case 'chunkEnd':
        case 'trailer':
          at = this.#readLine(bytes, at);
          break;
        case 'done':
          // Old servers send an empty line after a body. Whether it comes with the body or later is chance: it must not matter.
          if (isLineEnd(bytes[at])) at++;
          else throw this.#malformed('bytes after the end of the body');
          break;
      }
    }
  }

  /** The peer has closed its side. Throws unless the answer was complete. */
  end(): void {
    if (this.#state === 'untilClose') this.#state = 'done';
    if (this.#state === 'done') return;
    if (this.#state === 'head') {
      const where = this.#begun ? 'closed within the head' : 'closed without an answer';
      throw unavailable(this.#host, where);
    }
    throw unavailable(this.#host, 'the body is shorter than announced', { truncated: true });
  }

  #readHead(bytes: Buffer, at: number): number {
    const carried = this.#carry.length;
    const piece = at === 0 ? bytes : bytes.subarray(at);
    const all = carried === 0 ? piece : this.#carry.append(piece);
    const end = all.indexOf('\r\n\r\n', Math.max(0, carried - 3));
    if ((end < 0 ? all.length : end + 4) > HEAD_BYTES_MAX) {
      throw this.#malformed(`a head of more than ${HEAD_BYTES_MAX} bytes`);
    }
    if (end < 0) {
      this.#refuseHopelessHead(all, carried);
      if (carried === 0) this.#carry.append(piece);
      return bytes.length;
    }
    const text = all.toString('latin1', 0, end);
    this.#carry.clear();
    this.#takeHead(text);
    return at + end + 4 - carried;
  }

  /** What no further byte can make an HTTP head is refused now, not after the timeout. `from`: what was looked at before. */
  #refuseHopelessHead(start: Buffer, from: number): void {
    const begins = start.toString('latin1', 0, HEAD_START.length);
    let hopeless = !HEAD_START.startsWith(begins);
    for (let at = from; at >= 0 && !hopeless; at++) {
      at = start.indexOf(LINE_FEED, at);
      if (at < 0) break;
      hopeless = start[at - 1] !== CARRIAGE_RETURN;
    }
    if (hopeless) throw this.#malformed('not an HTTP/1.x answer');
  }

  #takeHead(text: string): void {
    let head: ResponseHead;
    try {
      head = parseResponseHead(text);
    } catch (error) {
      throw this.#malformed(error instanceof Error ? error.message : 'malformed');
    }
    if (head.status < 200) {
      this.#interimAnswers++;
      if (head.status === 101 || this.#interimAnswers > INTERIM_ANSWERS_MAX) {
        throw this.#malformed(
          head.status === 101 ? 'it switches protocols unasked' : 'too many interim answers',
        );
      }
      return;
    }
    const { framing } = head;
    this.#chunked = framing.kind === 'chunked';
    if (framing.kind === 'chunked') this.#state = 'chunkLine';
    else if (framing.kind === 'close') this.#state = 'untilClose';
    else {
      this.#left = framing.bytes;
      this.#state = framing.bytes === 0 ? 'done' : 'counted';
    }
    this.#sink.onHead(head);
  }

  #readCounted(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#state = this.#chunked ? 'chunkEnd' : 'done';
    this.#sink.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  #readLine(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    const piece = bytes.subarray(at, lineEnd < 0 ? bytes.length : lineEnd);
    if (this.#carry.length + piece.length > CHUNK_LINE_BYTES_MAX)
      throw this.#malformed('an oversized line within a chunked body');
    if (lineEnd < 0) {
      this.#carry.append(piece);
      return bytes.length;
    }
    const line = this.#carry.length === 0 ? piece : this.#carry.append(piece);
    const text = line.toString('latin1');
    this.#carry.clear();
    this.#takeLine(text);
    return lineEnd + 1;
  }

  #takeLine(line: string): void {
    if (this.#state === 'chunkEnd') {
      if (line !== '\r') throw this.#malformed('a chunk longer than its size');
      this.#state = 'chunkLine';
    } else if (this.#state === 'chunkLine') {
      this.#takeChunkLine(line);
    } else {
      this.#trailerBytes += line.length + 1;
      const field = line.slice(0, -1);
      if (!line.endsWith('\r') || (field !== '' && !FIELD_LINE.test(field))) {
        throw this.#malformed('a malformed trailer');
      }
      if (this.#trailerBytes > TRAILER_BYTES_MAX) {
        throw this.#malformed(`a trailer of more than ${TRAILER_BYTES_MAX} bytes`);
      }
      if (field === '') this.#state = 'done';
    }
  }

  #takeChunkLine(line: string): void {
    const match = CHUNK_LINE.exec(line);
    if (match === null) throw this.#malformed('a malformed chunk size');
    this.#extensionBytes += (match[2] ?? '').length;
    if (this.#extensionBytes > CHUNK_EXTENSION_BYTES_MAX) {
      throw this.#malformed('too many chunk extensions');
    }
    this.#left = Number.parseInt(match[1] ?? '', 16);
    this.#state = this.#left === 0 ? 'trailer' : 'counted';
  }

  #malformed(reason: string): Error {
    return malformed(this.#host, reason);
  }
}
