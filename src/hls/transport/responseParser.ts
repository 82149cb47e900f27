import { parseResponseHead, type ResponseHead } from './responseHead.ts';
import { unavailable } from './transportError.ts';

/** Status line and headers, bytes; the trailer section may be as long. Node's own limit is 16 KiB, nginx sends up to 32. */
const HEAD_BYTES_MAX = 64 * 1024;
/** All chunk extensions of one body, bytes: nobody uses them, so a server that sends many wants to waste our time. */
const CHUNK_EXTENSION_BYTES_MAX = 16 * 1024;
/** One chunk-size line, bytes. */
const CHUNK_LINE_BYTES_MAX = 4 * 1024;
/** Interim (1xx) answers before the real one. */
const INTERIM_ANSWERS_MAX = 16;

/** At most 13 hex digits: larger sizes would not be exact numbers. */
const CHUNK_LINE = /^([\da-fA-F]{1,13})[ \t]*((?:;[\t\x20-\x7e\x80-\xff]*)?)\r$/;

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
  #carry: Buffer = Buffer.alloc(0);
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
          throw this.#malformed('bytes after the end of the body');
      }
    }
  }

  /** The peer has closed its side. Throws unless the answer was complete. */
  end(): void {
    if (this.#state === 'untilClose') this.#state = 'done';
    if (this.#state === 'done') return;
    if (this.#state === 'head') {
      throw this.#malformed(this.#begun ? 'closed within the head' : 'closed without an answer');
    }
    throw this.#malformed('the body is shorter than announced', { truncated: true });
  }

  #readHead(bytes: Buffer, at: number): number {
    const carried = this.#carry.length;
    const all =
      carried === 0 ? bytes.subarray(at) : Buffer.concat([this.#carry, bytes.subarray(at)]);
    const end = all.indexOf('\r\n\r\n', Math.max(0, carried - 3));
    if ((end < 0 ? all.length : end + 4) > HEAD_BYTES_MAX) {
      throw this.#malformed(`a head of more than ${HEAD_BYTES_MAX} bytes`);
    }
    if (end < 0) {
      this.#refuseHopelessHead(all);
      this.#carry = carried === 0 ? Buffer.from(all) : all;
      return bytes.length;
    }
    this.#carry = Buffer.alloc(0);
    this.#takeHead(all.toString('latin1', 0, end));
    return at + end + 4 - carried;
  }

  /** What no further byte can make an HTTP head is refused now, not after the timeout. */
  #refuseHopelessHead(start: Buffer): void {
    const text = start.toString('latin1');
    if (!text.startsWith('HTTP/1.'.slice(0, text.length)) || /(?:^|[^\r])\n/.test(text)) {
      throw this.#malformed('not an HTTP/1.x answer');
    }
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
    const lineEnd = bytes.indexOf(0x0a, at);
    const piece = bytes.subarray(at, lineEnd < 0 ? bytes.length : lineEnd);
    const line = this.#carry.length === 0 ? piece : Buffer.concat([this.#carry, piece]);
    if (line.length > CHUNK_LINE_BYTES_MAX)
      throw this.#malformed('an oversized line within a chunked body');
    if (lineEnd < 0) {
      this.#carry = line === piece ? Buffer.from(piece) : line;
      return bytes.length;
    }
    this.#carry = Buffer.alloc(0);
    this.#takeLine(line.toString('latin1'));
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
      if (!line.endsWith('\r') || this.#trailerBytes > HEAD_BYTES_MAX) {
        throw this.#malformed('a malformed trailer');
      }
      if (line === '\r') this.#state = 'done';
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

  #malformed(reason: string, details?: Readonly<Record<string, unknown>>): Error {
    return unavailable(this.#host, reason, details);
  }
}
