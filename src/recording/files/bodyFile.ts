import fs from 'node:fs';
import { promisify } from 'node:util';
import { type ContentHash, contentHash } from '../../ledger/contentHash.ts';
import { diskError } from '../../ledger/diskError.ts';
import type { ChecksumAlgorithm } from '../../ledger/record.ts';

/**
 * One write, bytes. Each is carried to another thread and back: measured with 50 live streams (256 against 128 KiB) that is a tenth of
 * all CPU, above it nothing is gained.
 */
const BUFFER_BYTES = 256 * 1024;
/** Writes of one file on their way to the disk; with more the socket waits. Two keep the disk busy while the next one fills. */
const WRITES_MAX = 2;
/** Buffers kept for reuse: 8 MiB, the writes of some fifteen segments at once. */
const SPARE_BUFFERS_MAX = 32;

/** A pool, because a fresh buffer for each write made garbage collection the largest cost of copying. */
const spareBuffers: Buffer<ArrayBuffer>[] = [];

const givenUp = new Error('the body was given up');

const open = promisify(fs.open);
const close = promisify(fs.close);
const datasync = promisify(fs.fdatasync);
const unlink = promisify(fs.unlink);

export interface BodyFileOptions {
  /** Where it goes. Its directory exists; a file of that name is written over. */
  readonly path: string;
  readonly checksums: ChecksumAlgorithm;
  /** Sees every byte once, in order, in large pieces that are valid only during the call. */
  inspect(bytes: Buffer): void;
}

/**
 * A body on its way to a file: gathered in pooled buffers, hashed, and written at its position without waiting. The file
 * is made with the first full buffer or at the end, so a body that never comes leaves none.
 */
export class BodyFile {
  readonly #path: string;
  readonly #options: BodyFileOptions;
  readonly #hash: ContentHash;
  #buffer: Buffer<ArrayBuffer> | undefined;
  #filled = 0;
  #position = 0;
  #opened: Promise<number> | undefined;
  #writes = 0;
  #failure: unknown;
  #failed = false;
  /** Called when a write ends, while somebody waits for that. */
  #wake: (() => void)[] = [];

  constructor(options: BodyFileOptions) {
    this.#options = options;
    this.#path = options.path;
    this.#hash = contentHash(options.checksums);
  }

  get bytes(): number {
    return this.#position + this.#filled;
  }

  /** Takes the bytes, copying them. A promise means: no more until it settles. Throws or rejects with a disk error. */
  write(bytes: Uint8Array): undefined | Promise<void> {
    if (this.#failed) throw this.#failure;
    for (let taken = 0; taken < bytes.length; ) {
      this.#buffer ??= spareBuffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
      const room = BUFFER_BYTES - this.#filled;
      // Most pieces fit, and come by the million: each view of one would be another object to collect.
      const isWhole = taken === 0 && bytes.length <= room;
      const part = isWhole ? bytes : bytes.subarray(taken, taken + room);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === BUFFER_BYTES) this.#flush();
    }
    return this.#writes >= WRITES_MAX ? this.#until(() => this.#writes < WRITES_MAX) : undefined;
  }

  /** Hands what is left to `inspect`, so that it has seen the whole body. Nothing may be written afterwards. */
  seal(): void {
    if (this.#filled > 0) this.#flush();
  }

  /** Makes the content durable (not its name: that takes a sync of the directory) and closes the file. */
  async finish(): Promise<{ readonly bytes: number; readonly checksum: string }> {
    this.seal();
    await this.#until(() => this.#writes === 0);
    try {
      const descriptor = await this.#open();
      await datasync(descriptor);
      this.#opened = undefined;
      // All of it is on the disk: nothing is left for a close to wait for, and another thread costs ten times what it takes.
      fs.closeSync(descriptor);
    } catch (error) {
      throw diskError(error, 'write', this.#path);
    }
    return { bytes: this.#position, checksum: this.#hash.digest() };
  }

  /** Closes and removes the file, if it was made, once no write is under way. Never rejects. Whoever writes on is refused. */
  async abandon(): Promise<void> {
    // A late piece would be written to the descriptor of another file, or make this one anew.
    this.#fail(givenUp);
    if (this.#buffer !== undefined) recycle(this.#buffer);
    this.#buffer = undefined;
    const made = this.#position > 0;
    await this.#until(() => this.#writes === 0).catch(() => undefined);
    const descriptor = await this.#opened?.catch(() => undefined);
    // A file that cannot be closed or removed is left: no journal names it, and it is written over on the next try.
    if (descriptor !== undefined) await close(descriptor).catch(() => undefined);
    if (made) await unlink(this.#path).catch(() => undefined);
  }

  #open(): Promise<number> {
    this.#opened ??= open(this.#path, 'w', 0o644);
    return this.#opened;
  }

  #flush(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const piece = buffer.subarray(0, this.#filled);
    const position = this.#position;
    this.#position += piece.length;
    this.#buffer = undefined;
    this.#filled = 0;
    this.#hash.update(piece);
    this.#options.inspect(piece);
    this.#writes++;
    const ended = (error?: unknown) => {
      recycle(buffer);
      this.#writes--;
      if (error !== undefined) this.#fail(diskError(error, 'write', this.#path));
      for (const wake of this.#wake.splice(0)) wake();
    };
    this.#open().then(
      (descriptor) => writeAll({ descriptor, piece, position }, ended),
      (error: unknown) => ended(error),
    );
  }

  /** The first failure is the one that is told. */
  #fail(failure: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = failure;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#failed) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    // After a failure, writes that are still under way own their buffers: they must end before the file may be closed.
    while (this.#failed && this.#writes > 0) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    if (this.#failed) throw this.#failure;
  }
}

function writeAll(
  job: { readonly descriptor: number; readonly piece: Buffer; readonly position: number },
  ended: (error?: unknown) => void,
): void {
  const { descriptor, piece, position } = job;
  fs.write(descriptor, piece, 0, piece.length, position, (error, written) => {
    if (error !== null) ended(error);
    // A short write says why only at the next one.
    else if (written === piece.length) ended();
    else {
      const rest = { descriptor, piece: piece.subarray(written), position: position + written };
      writeAll(rest, ended);
    }
  });
}

function recycle(buffer: Buffer<ArrayBuffer>): void {
  if (spareBuffers.length < SPARE_BUFFERS_MAX) spareBuffers.push(buffer);
  // Gives its memory back now. Left to the collector, those of the burst in which streams begin stay for minutes.
  else buffer.buffer.transfer(0);
}
