import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isKennelError } from '../../core/errors.ts';
import { diskError } from '../../ledger/diskError.ts';
import { syncDirectory } from '../../ledger/syncDirectory.ts';

/** Directories that are remembered; a track has one for each epoch, and one that is in use. */
const REMEMBERED_MAX = 64;

/** The directories that a recording's files go to, each made once. */
export class MediaDirectories {
  readonly #root: string;
  /** Each settles once its names are durable: whoever needs it too has to wait for that. */
  readonly #made = new Map<string, Promise<void>>();

  /** `root`: the recording's directory. */
  constructor(root: string) {
    this.#root = path.resolve(root);
  }

  /** Where a file of the journal is on the disk. Such names are below the recording's directory, with forward slashes. */
  pathOf(file: string): string {
    return `${this.#root}/${file}`;
  }

  /** Makes the directory of a file, and makes its name durable. Rejects with `disk.full` or `disk.failed`. */
  async makeFor(file: string): Promise<void> {
    const directory = path.dirname(this.pathOf(file));
    let made = this.#made.get(directory);
    if (made === undefined) {
      if (this.#made.size >= REMEMBERED_MAX) this.#made.clear();
      made = this.#make(directory);
      this.#made.set(directory, made);
    }
    try {
      await made;
    } catch (error) {
      if (this.#made.get(directory) === made) this.#made.delete(directory);
      throw error;
    }
  }

  /** A file could not be written: its directory may have been removed, and is made again for the next one. */
  forget(file: string): void {
    this.#made.delete(path.dirname(this.pathOf(file)));
  }

  async #make(directory: string): Promise<void> {
    try {
      await mkdir(directory, { recursive: true });
      // Those that were there too: whoever made them may have died, or failed, before their names were durable.
      let named = directory;
      do {
        named = path.dirname(named);
        await syncDirectory(named);
      } while (named.length > this.#root.length);
    } catch (error) {
      throw isKennelError(error) ? error : diskError(error, 'make the directory', directory);
    }
  }
}
