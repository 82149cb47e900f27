import { Buffer } from 'node:buffer';
import { diskError } from '../../../src/ledger/diskError.ts';
import type { JournalFile, OpenJournalFile } from '../../../src/ledger/journalFile.ts';
import type { DiskTrouble } from './engineScript.ts';

/** Runs something later, unless the life that asked for it has ended. */
export type Later = (run: () => void) => void;

interface MediaFile {
  readonly content: string;
  isNameDurable: boolean;
}

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

export interface SimDiskOptions {
  /** The trouble that the disk is in now. */
  trouble(): DiskTrouble['kind'] | undefined;
  later: Later;
  random(): number;
}

/** A disk in memory that forgets, when the power goes, whatever was not synced. */
export class SimDisk {
  readonly #options: SimDiskOptions;
  #journal = Buffer.alloc(0);
  #journalExists = false;
  /** How much of the journal survives the power. */
  #syncedBytes = 0;
  #media = new Map<string, MediaFile>();

  constructor(options: SimDiskOptions) {
    this.#options = options;
  }

  /** A segment's content as it is on the disk; undefined where there is no such file. */
  contentOf(file: string): string | undefined {
    return this.#media.get(file)?.content;
  }

  /** Writes a whole media file and makes its content durable; its name is not yet. */
  async writeMedia(file: string, content: string): Promise<void> {
    await this.#operate(true);
    this.#media.set(file, { content, isNameDurable: false });
  }

  /** Makes the names of all files durable, as the sync of their directory does. */
  readonly syncNames = async (): Promise<void> => {
    try {
      await this.#operate(false);
    } catch (error) {
      throw diskError(error, 'sync the directory', 'media');
    }
    for (const file of this.#media.values()) file.isNameDurable = true;
  };

  /** Removes what no line names, as a new life does. */
  removeUnnamed(named: ReadonlySet<string>): void {
    for (const file of this.#media.keys()) if (!named.has(file)) this.#media.delete(file);
  }

  /** The power goes: names and lines that were not synced may be gone, and the last line may be torn. */
  losePower(): void {
    const unsynced = this.#journal.length - this.#syncedBytes;
    const kept = this.#syncedBytes + Math.floor(this.#options.random() * (unsynced + 1));
    this.#journal = this.#journal.subarray(0, kept);
    for (const [file, { isNameDurable }] of this.#media) {
      if (!isNameDurable && this.#options.random() < 0.5) this.#media.delete(file);
    }
    this.#survive();
  }

  /** The process dies: what it had written stays. */
  loseProcess(): void {
    this.#survive();
  }

  readonly openJournal: OpenJournalFile = async (_, mode) => {
    await this.#operate(false);
    if (!this.#journalExists && mode === 'read') throw systemError('ENOENT');
    this.#journalExists = true;
    return this.#file();
  };

  /** For whoever looks at the books afterwards: nothing fails any more. */
  readonly openHealthy: OpenJournalFile = async () => this.#file();

  #survive(): void {
    this.#syncedBytes = this.#journal.length;
    for (const file of this.#media.values()) file.isNameDurable = true;
  }

  #file(): JournalFile {
    return {
      path: '/recording/journal.ndjson',
      size: async () => this.#journal.length,
      read: async (buffer, position) =>
        this.#journal.copy(
          Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength),
          0,
          position,
        ),
      append: async (bytes) => {
        const before = this.#journal;
        try {
          await this.#operate(true);
        } catch (error) {
          // A write that fails may have been written in part.
          const part = Math.floor(this.#options.random() * bytes.byteLength);
          this.#journal = Buffer.concat([before, bytes.subarray(0, part)]);
          throw error;
        }
        this.#journal = Buffer.concat([this.#journal, bytes]);
      },
      sync: async () => {
        await this.#operate(false);
        this.#syncedBytes = this.#journal.length;
      },
      truncate: async (bytes) => {
        await this.#operate(false);
        this.#journal = this.#journal.subarray(0, bytes);
        this.#syncedBytes = Math.min(this.#syncedBytes, bytes);
      },
      close: async () => undefined,
    };
  }

  async #operate(needsRoom: boolean): Promise<void> {
    await new Promise<void>((resolve) => this.#options.later(resolve));
    const trouble = this.#options.trouble();
    if (trouble === 'failing') throw systemError('EIO');
    if (trouble === 'full' && needsRoom) throw systemError('ENOSPC');
  }
}
