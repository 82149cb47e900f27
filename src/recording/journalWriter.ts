import { type Clock, pause } from '../core/clock.ts';
import { isKennelError, type KennelError } from '../core/errors.ts';
import type { Journal } from '../ledger/journal.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { syncDirectory as syncNames } from '../ledger/syncDirectory.ts';

/** Pause before a failed write is tried again: a full disk is not freed in less. */
const RETRY_MS = 500;
/** Records in one append; the journal refuses batches beyond some megabytes, and a line has at most about 1 KB. */
const BATCH_RECORDS_MAX = 256;

interface Entry {
  readonly record: LedgerRecord;
  readonly directory: string | undefined;
  readonly settle: (durable: boolean) => void;
}

export interface JournalWriterOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Makes the names in a directory durable. Default: on the real disk. */
  readonly syncDirectory?: (directory: string) => Promise<void>;
  /** The disk failed, and is tried again until it works. Told once for each time of trouble. */
  troubled(error: KennelError): void;
  /** What waited is durable. */
  healed(): void;
  /** Nothing will be written any more: another process writes to the journal (`data.locked`), or a bug. */
  broken(error: unknown): void;
}

/**
 * Keeps the order of durability: names of new files first (one directory sync for each batch), then their lines. A failing
 * disk delays lines, it never loses or reorders them.
 */
export class JournalWriter {
  readonly #options: JournalWriterOptions;
  #waiting: Entry[] = [];
  #writing: Promise<void> | undefined;
  readonly #abandoned = new AbortController();
  #isTroubled = false;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
  }

  /** Resolves true once the record is durable, false when the writer was abandoned first. `directory`: holds its new file. */
  write(record: LedgerRecord, directory?: string): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#abandoned.signal.aborted) return resolve(false);
      this.#waiting.push({ record, directory, settle: resolve });
      this.#writing ??= this.#run();
    });
  }

  /** Resolves true once everything is durable, false when that takes longer than `timeoutMs` or will never be. */
  async flush(timeoutMs: number): Promise<boolean> {
    const early = new AbortController();
    await Promise.race([this.#writing, pause(this.#options.clock, timeoutMs, early.signal)]);
    early.abort();
    return this.#writing === undefined && this.#waiting.length === 0;
  }

  /** Lets go of what is not written. The next recorder finds it missing and fetches it again. */
  async abandon(): Promise<void> {
    this.#abandoned.abort();
    for (const { settle } of this.#waiting) settle(false);
    await this.#writing;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#abandoned.signal.aborted) {
      const batch = this.#waiting.slice(0, BATCH_RECORDS_MAX);
      try {
        await this.#commit(batch);
      } catch (error) {
        if (!isKennelError(error) || error.code === 'data.locked') {
          this.#options.broken(error);
          break;
        }
        if (!this.#isTroubled) this.#options.troubled(error);
        this.#isTroubled = true;
        await pause(this.#options.clock, RETRY_MS, this.#abandoned.signal);
        continue;
      }
      if (this.#isTroubled) this.#options.healed();
      this.#isTroubled = false;
      this.#waiting = this.#waiting.slice(batch.length);
      for (const { settle } of batch) settle(true);
    }
    this.#writing = undefined;
  }

  async #commit(batch: readonly Entry[]): Promise<void> {
    const directories = new Set(batch.flatMap(({ directory }) => directory ?? []));
    const { syncDirectory = syncNames } = this.#options;
    for (const directory of directories) await syncDirectory(directory);
    await this.#options.journal.append(batch.map(({ record }) => record));
  }
}
