import { open } from 'node:fs/promises';

/** An ID3 tag with the timestamp stands at the very beginning of a segment; one with a picture too is still shorter. */
const HEAD_BYTES = 64 * 1024;
const OWNER = 'com.apple.streaming.transportStreamTimestamp\0';
const CLOCK_HERTZ = 90_000;

/**
 * The first timestamp of a segment of packed audio, seconds, as its ID3 tag says it (RFC 8216 §3.4); undefined when it says none
 * or cannot be read.
 */
export async function packedTimestamp(path: string): Promise<number | undefined> {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const handle = await open(path, 'r');
    try {
      const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
      return timestampIn(head.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    // A file that cannot be read is found out when its bytes are checked.
    return undefined;
  }
}

/** The same for the first bytes of a segment. */
export function timestampIn(head: Buffer): number | undefined {
  if (head.toString('latin1', 0, 3) !== 'ID3') return undefined;
  const at = head.indexOf(OWNER, 10, 'latin1');
  const value = at + OWNER.length;
  if (at === -1 || value + 8 > head.length) return undefined;
  // 33 bits, the upper ones are zero.
  const ticks = head.readBigUInt64BE(value);
  return Number(ticks & 0x1_ffff_ffffn) / CLOCK_HERTZ;
}
