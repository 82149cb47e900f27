import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { KennelError } from '../core/errors.ts';
import { contentHash } from '../ledger/contentHash.ts';
import { diskError } from '../ledger/diskError.ts';
import type { ChecksumAlgorithm, InitStored, SegmentStored } from '../ledger/record.ts';
import { READ_BYTES } from './durableFile.ts';

export interface StoredFiles {
  /** The recording's directory. */
  readonly directory: string;
  readonly entries: readonly (InitStored | SegmentStored)[];
  /** How they are hashed: `Ledger.checksums`. */
  readonly checksums: ChecksumAlgorithm;
}

/**
 * The bytes of stored files, one after the other. Each is hashed on the way, so that what goes into the finished file is
 * what the ledger says was recorded. Throws `disk.failed` for a file that is missing or is not that any more.
 */
export async function* segmentBytes(
  { directory, entries, checksums }: StoredFiles,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const entry of entries) {
    const path = join(directory, entry.file);
    const hash = contentHash(checksums);
    const stream = createReadStream(path, { highWaterMark: READ_BYTES });
    try {
      for await (const chunk of stream) {
        // The stream has no encoding set, so that its chunks are buffers.
        const buffer = chunk as Buffer;
        hash.update(buffer);
        yield buffer;
        onBytes(buffer.length);
      }
    } catch (error) {
      throw diskError(error, 'read the segment', path);
    }
    const checksum = hash.digest();
    if (checksum !== entry.checksum) {
      throw new KennelError(
        'disk.failed',
        `the segment ${path} is not what was recorded; check the disk`,
        { details: { path, expected: entry.checksum, found: checksum } },
      );
    }
  }
}

/** Reads stored files for nothing but the check that `segmentBytes` makes. */
export async function checkSegments(files: StoredFiles, signal: AbortSignal): Promise<void> {
  const bytes = segmentBytes(files, () => signal.throwIfAborted());
  while ((await bytes.next()).done !== true);
}
