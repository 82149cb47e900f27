import { KennelError } from '../core/errors.ts';
import type { JournalFile } from './journalFile.ts';
import { decodeLine } from './journalLine.ts';
import type { LedgerRecord } from './record.ts';

/** Bytes read at once: large enough that a day's journal (about 14 MB) takes some fifty reads. */
const READ_BYTES = 256 * 1024;

/**
 * A crash can tear at most what one write carried, so no more than this may be unreadable at the end, bytes. The journal's
 * writer keeps its batches below it.
 */
export const BATCH_BYTES_MAX = 1024 * 1024;

export interface ScanResult {
  /** End of the last whole line, bytes from the start of the file. */
  readonly offset: number;
  /** Unreadable bytes behind it: what a crash left of a line that was never acknowledged. */
  readonly tornBytes: number;
}

/**
 * Hands every whole line from an offset on to `onRecord`. Damage that nothing readable follows is a torn tail; damage
 * anywhere else, or a whole line of an unknown kind, rejects with `journal.corrupt`.
 */
export async function scanJournal(
  file: JournalFile,
  fromOffset: number,
  onRecord: (record: LedgerRecord) => void,
): Promise<ScanResult> {
  const size = await file.size();
  if (size < fromOffset) {
    throw new KennelError(
      'journal.corrupt',
      `${file.path} has ${size} bytes, fewer than the ${fromOffset} read before; read it again from the start`,
      { details: { path: file.path, size, offset: fromOffset } },
    );
  }
  const lines = new LineScan(file.path, fromOffset, onRecord);
  // Whoever follows a live journal reads a line at a time. One byte more than there is, so that the first read sees the end.
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size - fromOffset + 1));
  let position = fromOffset;
  for (;;) {
    const read = await file.read(buffer, position);
    if (read === 0) break;
    position += read;
    lines.feed(buffer.subarray(0, read));
  }
  return lines.finish(position);
}

class LineScan {
  readonly #path: string;
  readonly #onRecord: (record: LedgerRecord) => void;
  /** The start of a line whose end was not read yet. */
  #begun: Buffer[] = [];
  #line = 0;
  /** Where the line that comes next begins. */
  #offset: number;
  #damage: { readonly line: number; readonly offset: number; readonly reason: string } | undefined;

  constructor(path: string, offset: number, onRecord: (record: LedgerRecord) => void) {
    this.#path = path;
    this.#offset = offset;
    this.#onRecord = onRecord;
  }

  feed(bytes: Buffer): void {
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      if (end < 0) break;
      const tail = bytes.subarray(start, end);
      this.#take(this.#begun.length === 0 ? tail : Buffer.concat([...this.#begun, tail]));
      this.#begun = [];
      start = end + 1;
    }
    // The buffer is read into again: what must stay is copied.
    if (start < bytes.length) this.#begun.push(Buffer.from(bytes.subarray(start)));
  }

  finish(end: number): ScanResult {
    const offset = this.#damage?.offset ?? this.#offset;
    const tornBytes = end - offset;
    if (tornBytes > BATCH_BYTES_MAX) {
      throw this.#corrupt(this.#damage ?? { line: this.#line + 1, offset, reason: 'no line end' });
    }
    return { offset, tornBytes };
  }

  #take(line: Buffer): void {
    this.#line++;
    const place = { line: this.#line, offset: this.#offset };
    this.#offset += line.length + 1;
    const decoded = decodeLine(line);
    if (decoded.kind === 'damaged') {
      this.#damage ??= { ...place, reason: decoded.reason };
      return;
    }
    // A readable line behind a damaged one: what is damaged had been written whole.
    if (this.#damage !== undefined) throw this.#corrupt(this.#damage);
    if (decoded.kind === 'unknown') throw this.#corrupt({ ...place, reason: decoded.reason });
    this.#onRecord(decoded.record);
  }

  #corrupt(damage: { line: number; offset: number; reason: string }): KennelError {
    return new KennelError(
      'journal.corrupt',
      `${this.#path} is damaged in line ${damage.line} at byte ${damage.offset}: ${damage.reason}. ` +
        'Nothing was changed. Copy the recording elsewhere, then restore this file from a backup, or cut it at that byte ' +
        'to give up the lines from there on (their segments stay on the disk)',
      { details: { path: this.#path, ...damage } },
    );
  }
}
