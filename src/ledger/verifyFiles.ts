import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';
import { contentHash } from './contentHash.ts';
import { diskError } from './diskError.ts';
import type { Ledger } from './ledger.ts';
import type { ChecksumAlgorithm, InitStored, SegmentStored } from './record.ts';

/** Read at once, bytes: fewer calls than that save nothing more. */
const READ_BYTES = 256 * 1024;

/** A stored file that is not what the ledger says. */
export interface FileDifference {
  readonly kind: 'missing' | 'bytes' | 'checksum';
  readonly entry: SegmentStored | InitStored;
  readonly expected: string | number;
  /** Absent when the file is missing. */
  readonly found?: string | number;
}

/**
 * Hashes every stored segment and initialisation section again and lists what differs, one entry a file; an empty list
 * means that all is there, byte for byte. Rejects with `disk.failed` when a file cannot be read at all, `tool.missing` when
 * this platform cannot hash as the recording does, and with the signal's reason.
 */
export async function verifyFiles(
  directory: string,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<FileDifference[]> {
  const differences: FileDifference[] = [];
  const { checksums } = ledger;
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  for (const entry of [...ledger.inits, ...ledger.segments()]) {
    signal?.throwIfAborted();
    const found = await measure(join(directory, entry.file), checksums, buffer);
    if (found === undefined) {
      differences.push({ kind: 'missing', entry, expected: entry.file });
    } else if (found.bytes !== entry.bytes) {
      differences.push({ kind: 'bytes', entry, expected: entry.bytes, found: found.bytes });
    } else if (found.checksum !== entry.checksum) {
      const { checksum } = found;
      differences.push({ kind: 'checksum', entry, expected: entry.checksum, found: checksum });
    }
  }
  return differences;
}

async function measure(
  path: string,
  checksums: ChecksumAlgorithm,
  buffer: Buffer,
): Promise<{ bytes: number; checksum: string } | undefined> {
  const hash = contentHash(checksums);
  try {
    const handle = await open(path, 'r');
    try {
      let bytes = 0;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) return { bytes, checksum: hash.digest() };
        hash.update(buffer.subarray(0, bytesRead));
        bytes += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw diskError(error, 'read', path);
  }
}
