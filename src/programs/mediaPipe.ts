import type { Readable } from 'node:stream';

export interface MediaPipeOptions {
  /** As `OutputRun.write`. */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** Bytes came. */
  beat(): void;
}

/** Takes what a program puts out as fast as it can be stored: while it cannot, the pipe fills and the program waits. */
export class MediaPipe {
  readonly #options: MediaPipeOptions;
  #bytes = 0;
  #isStoring = false;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: MediaPipeOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes are on their way to the disk, and no more are taken meanwhile. */
  get isStoring(): boolean {
    return this.#isStoring;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What was taken could not be stored; nothing more is taken then. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Resolves at the end of the pipe, also at an early one. */
  async takeAll(pipe: Readable): Promise<void> {
    try {
      for await (const bytes of pipe) {
        this.#bytes += bytes.length;
        this.#options.beat();
        if (!(await this.#store(bytes))) break;
      }
    } catch {
      // It was destroyed by us, or its other end is gone: what came is stored.
    }
    this.#isOver = true;
  }

  async #store(bytes: Uint8Array): Promise<boolean> {
    try {
      const stored = this.#options.write(bytes);
      if (stored === undefined) return true;
      this.#isStoring = true;
      await stored;
      return true;
    } catch (error) {
      this.#failure = { error };
      return false;
    } finally {
      this.#isStoring = false;
    }
  }
}
