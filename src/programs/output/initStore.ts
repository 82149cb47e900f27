import path from 'node:path';
import { contentHash } from '../../ledger/contentHash.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { ChecksumAlgorithm, InitStored } from '../../ledger/record.ts';
import { BodyFile } from '../../recording/files/bodyFile.ts';
import type { MediaDirectories } from '../../recording/files/mediaDirectories.ts';
import { initFile } from '../../recording/files/mediaFiles.ts';
import type { JournalWriter } from '../../recording/journalWriter.ts';
import { TRACK } from './pieceLength.ts';

export interface InitStoreOptions {
  readonly directories: MediaDirectories;
  readonly attempt: number;
  readonly ledger: Ledger;
  readonly writer: JournalWriter;
  checksums(): ChecksumAlgorithm;
}

/** Initialisation sections of MP4: each content is stored once. Asked for one at a time. */
export class InitStore {
  readonly #options: InitStoreOptions;
  readonly #added: InitStored[] = [];

  constructor(options: InitStoreOptions) {
    this.#options = options;
  }

  /** Its number; its line comes before all that is written afterwards. Rejects with a disk error. */
  async numberOf(head: Buffer): Promise<number> {
    const { directories, attempt, ledger, writer } = this.#options;
    const checksums = this.#options.checksums();
    const hash = contentHash(checksums);
    hash.update(head);
    const checksum = hash.digest();
    const known = [...ledger.inits, ...this.#added];
    const same = known.find((one) => one.track === TRACK && one.checksum === checksum);
    if (same !== undefined) return same.init;
    const init = known.reduce((highest, one) => Math.max(highest, one.init), -1) + 1;
    const file = initFile(TRACK, init, attempt);
    const filePath = directories.pathOf(file);
    await directories.makeFor(file);
    const body = new BodyFile({ path: filePath, checksums, inspect: () => undefined });
    try {
      await body.write(head);
      const { bytes } = await body.finish();
      const record: InitStored = { t: 'init', init, track: TRACK, file, bytes, checksum };
      this.#added.push(record);
      void writer.write(record, path.dirname(filePath));
      return init;
    } catch (error) {
      await body.abandon();
      directories.forget(file);
      throw error;
    }
  }
}
