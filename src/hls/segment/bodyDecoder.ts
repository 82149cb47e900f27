import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { KennelError, messageOf } from '../../core/errors.ts';
import { invalid } from '../../recording/files/container.ts';

/** Takes bytes that are valid only during the call. A promise means: no more until it settles. */
export type Sink = (bytes: Uint8Array) => undefined | Promise<void>;

type Open = (first: Uint8Array) => Transform | undefined;

/** Decompressors by name; undefined where the first bytes show that the body is not encoded, whatever its header says. */
const gzip: Open = ([first]) => (first === 0x1f ? zlib.createGunzip() : undefined);
const DECODERS: Readonly<Record<string, Open>> = {
  gzip,
  'x-gzip': gzip,
  // Named after zlib's format, but some servers send the bare one. Its first byte cannot be 8 modulo 16.
  deflate: ([first = 0]) => ((first & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()),
  br: () => zlib.createBrotliDecompress(),
};

/** Whether a body with this `Content-Encoding` has to be decoded. Unknown ones (`aws-chunked`) change nothing. */
export const isEncoded = (encoding: string | undefined): encoding is string =>
  encoding !== undefined && Object.hasOwn(DECODERS, nameOf(encoding));

const nameOf = (encoding: string): string => encoding.trim().toLowerCase();

/**
 * Undoes the compression that an origin used although it was asked for none, while the body streams by; gzip of WebVTT is
 * common. It holds on to the socket for as long as its own sink does.
 */
export class BodyDecoder {
  readonly #encoding: string;
  readonly #sink: Sink;
  readonly #bytesMax: number;
  #bytes = 0;
  #plain = false;
  /** The compressed data have come to their end; servers may pad what follows. */
  #over = false;
  #stream: Transform | undefined;
  #drained: Promise<void> = Promise.resolve();

  /** `bytesMax`: what it may expand to. */
  constructor(encoding: string, sink: Sink, bytesMax: number) {
    this.#encoding = nameOf(encoding);
    this.#sink = sink;
    this.#bytesMax = bytesMax;
  }

  write(bytes: Uint8Array): undefined | Promise<void> {
    if (this.#plain) return this.#sink(bytes);
    if (this.#over) return undefined;
    if (this.#stream === undefined) {
      this.#stream = DECODERS[this.#encoding]?.(bytes);
      if (this.#stream === undefined) {
        this.#plain = true;
        return this.#sink(bytes);
      }
      this.#drained = this.#drain(this.#stream);
      // Whoever writes next, or ends, is told.
      this.#drained.catch(() => undefined);
    }
    return this.#feed(this.#stream, Buffer.from(bytes));
  }

  /** Resolves once all of it has reached the sink. Rejects with `segment.invalid` when its end is missing. */
  async end(): Promise<void> {
    this.#stream?.end();
    await this.#drained;
  }

  /** Lets go of it. Never throws. */
  close(): void {
    this.#stream?.destroy();
  }

  async #feed(stream: Transform, bytes: Buffer): Promise<void> {
    const taken = new Promise<void>((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(this.#broken(error)) : resolve()));
    });
    // When the sink fails, or the compressed data end before the body does, this write is never taken.
    await Promise.race([taken, this.#drained]);
  }

  async #drain(stream: Transform): Promise<void> {
    const pieces = stream[Symbol.asyncIterator]();
    for (;;) {
      const next = await pieces.next().catch((error: unknown) => {
        throw this.#broken(error);
      });
      if (next.done === true) {
        this.#over = true;
        return;
      }
      // Decompressors give buffers.
      const piece = next.value as Buffer;
      this.#bytes += piece.length;
      if (this.#bytes > this.#bytesMax) throw this.#tooLong();
      await this.#sink(piece);
    }
  }

  #broken(error: unknown): KennelError {
    const encoding = this.#encoding;
    return invalid(`it cannot be decoded as ${encoding}: ${messageOf(error)}`, { encoding });
  }

  #tooLong(): KennelError {
    return new KennelError(
      'limit.exceeded',
      `a body of ${this.#encoding} expands to more than ${this.#bytesMax} bytes`,
      { details: { encoding: this.#encoding, bodyBytesMax: this.#bytesMax } },
    );
  }
}
