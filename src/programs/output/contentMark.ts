import { crc32 } from 'node:zlib';

/** How much of the beginning and of the end of a frame is looked at, bytes. */
export const MARKED_BYTES = 128;

/**
 * A number by which a frame is known again: its length, and a CRC-32 of its first and last bytes. An encoder's output of the same length
 * that agrees in 256 bytes of entropy-coded data is the same; and no frame is recognised by itself alone.
 */
export const contentMark = (bytes: number, first: Buffer, last: Buffer): number =>
  crc32(last, crc32(first)) * 2 ** 20 + (bytes % 2 ** 20);

/** The mark of a frame that lies in one piece. */
export const markOf = (frame: Buffer): number =>
  contentMark(
    frame.length,
    frame.subarray(0, MARKED_BYTES),
    frame.subarray(Math.max(0, frame.length - MARKED_BYTES)),
  );
