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
  readonly #made = new Set<string>();

  /** `root`: the recording's directory. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Where a file of the journal is on the disk. */
  pathOf(file: string): string {
    return path.join(this.#root, file);
  }

  /** Makes the directory of a file, and makes its name durable. Rejects with `disk.full` or `disk.failed`. */
  async makeFor(file: string): Promise<void> {
    const directory = path.dirname(this.pathOf(file));
    if (this.#made.has(directory)) return;
    try {
      const first = await mkdir(directory, { recursive: true });
      if (first !== undefined) {
        for (let made = directory; made.length >= first.length; made = path.dirname(made)) {
          await syncDirectory(path.dirname(made));
        }
      }
    } catch (error) {
      throw isKennelError(error) ? error : diskError(error, 'make the directory', directory);
    }
    if (this.#made.size >= REMEMBERED_MAX) this.#made.clear();
    this.#made.add(directory);
  }

  /** A file could not be written: its directory may have been removed, and is made again for the next one. */
  forget(file: string): void {
    this.#made.delete(path.dirname(this.pathOf(file)));
  }
}
