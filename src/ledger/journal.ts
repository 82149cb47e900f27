import type { Clock } from '../core/clock.ts';
import { isKennelError, KennelError, systemCodeOf } from '../core/errors.ts';
import { diskError } from './diskError.ts';
import { type JournalFile, type OpenJournalFile, openJournalFile } from './journalFile.ts';
import { encodeLine } from './journalLine.ts';
import { BATCH_BYTES_MAX, scanJournal } from './journalScan.ts';
import { Ledger, type LedgerOptions } from './ledger.ts';
import type { LedgerRecord } from './record.ts';

/**
 * Appended but not yet durable, bytes. Writers wait for their appends, so it stays far below unless the disk hangs; the
 * limit keeps a hanging disk from filling the memory.
 */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

export interface JournalOptions {
  readonly clock: Clock;
  /** Where the bytes go. Default: a file on the real disk. */
  readonly openFile?: OpenJournalFile;
  readonly ledger?: LedgerOptions;
}

/** A recording's journal, open for one writer. */
export interface Journal {
  /** What the durable lines add up to. */
  readonly ledger: Ledger;
  /** Length of the durable lines. */
  readonly bytes: number;
  /** What opening cut off the end: the rest of a line that a crash had torn, bytes. */
  readonly tornBytes: number;
  /** How long the last write took to be durable, milliseconds. */
  readonly commitMs: number;
  /**
   * Resolves once the records are on the disk, in the order of the calls. Rejects with `disk.full`, `disk.failed`, or
   * `data.locked` when somebody else wrote to the file; then none of them is in the journal, nor is any that waited behind
   * them, and later appends are tried afresh. A malformed record rejects too: that is a bug of the caller.
   */
  append(records: readonly LedgerRecord[]): Promise<void>;
  /** Waits for what was appended, then closes the file. */
  close(): Promise<void>;
}

/**
 * Opens a directory's journal, making both when missing, and cuts off what a crash had torn. Rejects with
 * `journal.corrupt`, `disk.full` or `disk.failed`.
 */
export async function openJournal(directory: string, options: JournalOptions): Promise<Journal> {
  const file = await opened(directory, 'append', options.openFile);
  try {
    const ledger = new Ledger(options.ledger);
    const { offset, tornBytes } = await scanJournal(file, 0, (record) => ledger.apply(record));
    if (tornBytes > 0) {
      await file.truncate(offset);
      await file.sync();
    }
    return new OpenJournal(file, options.clock, { ledger, bytes: offset, tornBytes });
  } catch (error) {
    await file.close();
    throw isKennelError(error) ? error : diskError(error, 'read the journal', file.path);
  }
}

/**
 * Reads a journal from a byte offset that an earlier call returned. `torn`: something that is no whole line follows, which
 * a live writer may just be completing. A journal that is not there has no records. A line seen here may be one that its
 * writer takes back when the disk fails: who follows a live journal must be able to start over.
 */
export async function readJournal(
  directory: string,
  fromOffset = 0,
  openFile: OpenJournalFile = openJournalFile,
): Promise<{ records: LedgerRecord[]; offset: number; torn: boolean }> {
  const records: LedgerRecord[] = [];
  let file: JournalFile;
  try {
    file = await opened(directory, 'read', openFile);
  } catch (error) {
    const missing = isKennelError(error) && systemCodeOf(error.cause) === 'ENOENT';
    if (missing && fromOffset === 0) return { records, offset: 0, torn: false };
    throw error;
  }
  try {
    const result = await scanJournal(file, fromOffset, (record) => records.push(record));
    return { records, offset: result.offset, torn: result.tornBytes > 0 };
  } catch (error) {
    throw isKennelError(error) ? error : diskError(error, 'read the journal', file.path);
  } finally {
    await file.close();
  }
}

async function opened(
  directory: string,
  mode: 'append' | 'read',
  openFile: OpenJournalFile = openJournalFile,
): Promise<JournalFile> {
  try {
    return await openFile(directory, mode);
  } catch (error) {
    throw isKennelError(error) ? error : diskError(error, 'open the journal in', directory);
  }
}

interface Append {
  readonly records: readonly LedgerRecord[];
  readonly lines: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class OpenJournal implements Journal {
  readonly ledger: Ledger;
  readonly tornBytes: number;
  readonly #file: JournalFile;
  readonly #clock: Clock;
  #bytes: number;
  #commitMs = 0;
  #waiting: Append[] = [];
  #waitingBytes = 0;
  /** The loop that writes, while there is something to write. */
  #writing: Promise<void> | undefined;
  /** A write failed, and what it left could not be cut off yet. */
  #dirty = false;
  #closed: Promise<void> | undefined;

  constructor(
    file: JournalFile,
    clock: Clock,
    state: { ledger: Ledger; bytes: number; tornBytes: number },
  ) {
    this.#file = file;
    this.#clock = clock;
    this.ledger = state.ledger;
    this.#bytes = state.bytes;
    this.tornBytes = state.tornBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get commitMs(): number {
    return this.#commitMs;
  }

  append(records: readonly LedgerRecord[]): Promise<void> {
    // What is thrown in here rejects the promise.
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw new Error('the journal is closed');
      const lines = Buffer.from(records.map(encodeLine).join(''));
      if (lines.length > BATCH_BYTES_MAX) {
        throw new RangeError(`one append of ${lines.length} bytes; at most ${BATCH_BYTES_MAX}`);
      }
      if (this.#waitingBytes + lines.length > WAITING_BYTES_MAX) throw this.#hanging();
      this.#waiting.push({ records, lines, resolve, reject });
      this.#waitingBytes += lines.length;
      this.#writing ??= this.#write();
    });
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#writing;
      await this.#file.close();
    })();
    return this.#closed;
  }

  /** Group commit: whatever gathered while the last batch was being written goes with one write and one sync. */
  async #write(): Promise<void> {
    // Appends made in the same turn share the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      const began = this.#clock.elapsed();
      try {
        await this.#commit(Buffer.concat(batch.map(({ lines }) => lines)));
      } catch (error) {
        // What waits behind may lean on what failed (a segment on its epoch), so it fails with it.
        this.#fail([...batch, ...this.#waiting], error);
        continue;
      }
      this.#commitMs = this.#clock.elapsed() - began;
      for (const { records, resolve } of batch) {
        for (const record of records) this.ledger.apply(record);
        resolve();
      }
    }
    this.#writing = undefined;
  }

  #takeBatch(): Append[] {
    let bytes = 0;
    let count = 0;
    for (const { lines } of this.#waiting) {
      if (count > 0 && bytes + lines.length > BATCH_BYTES_MAX) break;
      bytes += lines.length;
      count++;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #commit(lines: Buffer): Promise<void> {
    try {
      if (this.#dirty) await this.#cutBack();
      const size = await this.#file.size();
      if (size !== this.#bytes) throw this.#touched(size);
      this.#dirty = true;
      await this.#file.append(lines);
      await this.#file.sync();
      this.#dirty = false;
      this.#bytes += lines.length;
    } catch (error) {
      if (isKennelError(error)) throw error;
      // Should cutting back fail too, the next append tries it again before it writes.
      if (this.#dirty) await this.#cutBack().catch(() => undefined);
      throw diskError(error, 'append to the journal', this.#file.path);
    }
  }

  async #cutBack(): Promise<void> {
    await this.#file.truncate(this.#bytes);
    await this.#file.sync();
    this.#dirty = false;
  }

  #fail(appends: readonly Append[], error: unknown): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { reject } of appends) reject(error);
  }

  #touched(size: number): KennelError {
    return new KennelError(
      'data.locked',
      `${this.#file.path} has ${size} bytes, but this recorder left it with ${this.#bytes}: another process writes to it. ` +
        'End that recorder before this one goes on',
      { details: { path: this.#file.path, size, expected: this.#bytes } },
    );
  }

  #hanging(): KennelError {
    return new KennelError(
      'disk.failed',
      `${this.#waitingBytes} bytes wait to be written to ${this.#file.path}: the disk does not answer; check it`,
      { retryable: true, details: { path: this.#file.path, waitingBytes: this.#waitingBytes } },
    );
  }
}
