import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Blake3Hasher } from '@napi-rs/blake-hash';
import { KennelError } from '../core/errors.ts';
import type { ChecksumAlgorithm } from './record.ts';

/** A checksum in the making: 64 hex digits, whatever the algorithm. */
export interface ContentHash {
  /** The bytes may change as soon as this returns. */
  update(bytes: Uint8Array): void;
  /** Once, at the end. */
  digest(): string;
}

const native = loadNative();

/** What the files of a new recording are hashed with: BLAKE3, or SHA-256 where its native module does not exist. */
export const CHECKSUMS_DEFAULT: ChecksumAlgorithm =
  native.Hasher === undefined ? 'sha256' : 'blake3';

/**
 * Begins the checksum of one file. SHA-256 costs 2.5 to 4.1 CPU-s/GB on a processor without instructions for it, more than all the
 * rest between socket and disk; BLAKE3 is as strong and takes 0.2 to 0.3 (`npm run bench:checksum`). Throws `tool.missing` when a
 * recording needs BLAKE3 and its native module is not there.
 */
export function contentHash(algorithm: ChecksumAlgorithm): ContentHash {
  if (algorithm === 'blake3') return blake3();
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
}

function blake3(): ContentHash {
  const { Hasher, why } = native;
  if (Hasher === undefined) {
    throw new KennelError(
      'tool.missing',
      'the files of this recording are hashed with BLAKE3, whose native module @napi-rs/blake-hash cannot be loaded here: ' +
        'install it, or read the recording on a platform that it exists for',
      { cause: why, details: { module: '@napi-rs/blake-hash', platform: process.platform } },
    );
  }
  const hash = new Hasher();
  return {
    // The module takes buffers only; a view of the same bytes costs nothing.
    update: (bytes) =>
      void hash.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    digest: () => hash.digest('hex'),
  };
}

/** The module says by throwing that there is none for this platform; then recordings do without it. */
function loadNative(): { readonly Hasher?: new () => Blake3Hasher; readonly why?: unknown } {
  try {
    const require = createRequire(import.meta.url);
    // Its declarations say that it exports this class.
    const module = require('@napi-rs/blake-hash') as { Blake3Hasher: new () => Blake3Hasher };
    return { Hasher: module.Blake3Hasher };
  } catch (why) {
    return { why };
  }
}
