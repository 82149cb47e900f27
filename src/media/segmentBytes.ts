import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { KennelError } from '../core/errors.ts';
import { diskError } from '../ledger/diskError.ts';
import type { InitStored, SegmentStored } from '../ledger/record.ts';
import { READ_BYTES } from './durableFile.ts';

/**
 * The bytes of stored files, one after the other. Each is hashed on the way, so that what goes into the finished file is
 * what the ledger says was recorded. Throws `disk.failed` for a file that is missing or is not that any more.
 */
export async function* segmentBytes(
  directory: string,
  entries: readonly (InitStored | SegmentStored)[],
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const entry of entries) {
    const path = join(directory, entry.file);
    const hash = createHash('sha256');
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
    const checksum = hash.digest('hex');
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
export async function checkSegments(
  directory: string,
  entries: readonly (InitStored | SegmentStored)[],
  signal: AbortSignal,
): Promise<void> {
  const bytes = segmentBytes(directory, entries, () => signal.throwIfAborted());
  while ((await bytes.next()).done !== true);
}
