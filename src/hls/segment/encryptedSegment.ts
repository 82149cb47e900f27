import { isKennelError } from '../../core/errors.ts';
import { invalid } from '../../recording/files/container.ts';
import type { SegmentEncryption } from '../playlist/model.ts';
import type { KeyStore } from './keyStore.ts';
import { type FetchedSegment, fetchSegment, type SegmentRequest } from './segmentFile.ts';

/** The block of AES. */
const IV_BYTES = 16;

export interface Encryption {
  readonly encryption: SegmentEncryption;
  /** The segment's number in the playlist of its own source: what the IV follows from when the key names none. */
  readonly msn: number;
  readonly keys: KeyStore;
}

/**
 * Fetches a segment and stores it in the clear. A key that was kept and does not fit is asked for again, once: some origins change
 * what is behind its address. Rejects as `fetchSegment` and `KeyStore.get` do.
 */
export async function fetchEncrypted(
  request: SegmentRequest,
  { encryption, msn, keys }: Encryption,
): Promise<FetchedSegment> {
  const { url } = encryption;
  const iv = initializationVector(encryption, msn);
  const key = await keys.get(url, request);
  try {
    return await fetchSegment({ ...request, decrypt: { key: key.bytes, iv } });
  } catch (error) {
    const misfits = isKennelError(error) && error.code === 'segment.invalid';
    if (!misfits || key.isFresh) throw error;
    keys.forget(url, key.bytes);
    const renewed = await keys.get(url, request);
    if (Buffer.compare(renewed.bytes, key.bytes) === 0) throw error;
    return await fetchSegment({ ...request, decrypt: { key: renewed.bytes, iv } });
  }
}

/** RFC 8216 §5.2: as the key says it, else the media sequence number as a big-endian number of 128 bits. */
function initializationVector({ iv }: SegmentEncryption, msn: number): Uint8Array {
  const bytes = Buffer.alloc(IV_BYTES);
  if (iv === undefined) {
    bytes.writeBigUInt64BE(BigInt(msn), IV_BYTES - 8);
    return bytes;
  }
  // A malformed digit would end the conversion early and leave zeros.
  if (bytes.write(iv, 'hex') === IV_BYTES) return bytes;
  throw invalid('its key names an initialisation vector that is not 32 hex digits');
}
