import type { ChecksumAlgorithm } from '../../ledger/record.ts';
import { BodyFile } from '../../recording/files/bodyFile.ts';
import type { MediaDirectories } from '../../recording/files/mediaDirectories.ts';

/** What is gathered while the directory is made; then the program waits. */
const EARLY_BYTES_MAX = 4 * 1024 * 1024;

export interface PieceFileOptions {
  readonly directories: MediaDirectories;
  /** Below the recording's directory. */
  readonly file: string;
  readonly checksums: ChecksumAlgorithm;
  /** Its directory was made, and not found missing since. */
  readonly isDirectoryMade: boolean;
}

/** A file that is written while its directory is still being made. */
export class PieceFile {
  readonly file: string;
  readonly #options: PieceFileOptions;
  readonly #ready: Promise<void>;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #body: BodyFile | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: PieceFileOptions) {
    this.#options = options;
    this.file = options.file;
    if (options.isDirectoryMade) this.#body = this.#makeBody();
    this.#ready =
      this.#body === undefined
        ? this.#prepare().catch((error: unknown) => this.#fail(error))
        : Promise.resolve();
  }

  /** Takes the bytes, copying them. A promise means: no more until it settles; it never rejects: `finish` tells what failed. */
  write(bytes: Uint8Array): undefined | Promise<void> {
    if (this.#failure !== undefined) return undefined;
    if (this.#body === undefined) {
      this.#early.push(Buffer.from(bytes));
      this.#earlyBytes += bytes.length;
      return this.#earlyBytes > EARLY_BYTES_MAX ? this.#ready : undefined;
    }
    try {
      return this.#body.write(bytes)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Makes it durable. Rejects with what failed, leaving no file. */
  async finish(): Promise<{ readonly bytes: number; readonly checksum: string }> {
    await this.#ready;
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#body === undefined) throw new Error('a file without a body is finished');
      return await this.#body.finish();
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  /** Removes what was written. Never rejects. */
  async abandon(): Promise<void> {
    this.#fail(new Error('the piece was given up'));
    await this.#ready;
    await this.#body?.abandon();
    this.#options.directories.forget(this.file);
  }

  async #prepare(): Promise<void> {
    const { directories, file } = this.#options;
    await directories.makeFor(file);
    this.#body = this.#makeBody();
    // The last promise stands for all before it.
    let waiting: Promise<void> | undefined;
    for (const bytes of this.#early.splice(0)) waiting = this.#body.write(bytes);
    await waiting;
  }

  #makeBody(): BodyFile {
    const { directories, file, checksums } = this.#options;
    return new BodyFile({ path: directories.pathOf(file), checksums, inspect: () => undefined });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#early = [];
  }
}
