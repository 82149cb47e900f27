/** Ticks of a timestamp of MPEG-TS in a millisecond (ISO 13818-1: 90 kHz). */
export const TICKS_PER_MS = 90;

/** Timestamps have 33 bits: they wrap every 26.5 hours. */
export const TIMESTAMP_MODULUS = 2 ** 33;

/** The timestamp at this place of a PES header (five bytes, ISO 13818-1 §2.4.3.7), in ticks. */
export function readTimestamp(bytes: Buffer, at: number): number {
  const high = ((bytes[at] ?? 0) >> 1) & 7;
  const middle = bytes.readUInt16BE(at + 1) >> 1;
  const low = bytes.readUInt16BE(at + 3) >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}
