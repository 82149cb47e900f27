import { readTimestamp } from '../../recording/files/pesTimestamp.ts';

/** What the header of a PES packet (ISO 13818-1 §2.4.3.7) says. */
export interface PesHeader {
  readonly streamId: number;
  /** Where the elementary stream begins, bytes from the start of the PES packet. */
  readonly bytes: number;
  /** 33 bits of a 90 kHz clock: presentation, and decoding (the same where it is not said). */
  readonly pts?: number;
  readonly dts?: number;
}

/** A header and all it may carry, bytes. */
export const PES_HEADER_BYTES_MAX = 9 + 255;

/** Stream identifiers of PES packets that have no header beyond their length: maps, padding, private data, control messages. */
const HEADERLESS = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/** Reads the header of a PES packet; undefined when none begins here. */
export function pesHeader(start: Buffer): PesHeader | undefined {
  if (start.length < 6 || start.readUIntBE(0, 3) !== 1) return undefined;
  const streamId = start[3] ?? 0;
  if (HEADERLESS.has(streamId)) return { streamId, bytes: 6 };
  if (start.length < 9) return undefined;
  const bytes = 9 + (start[8] ?? 0);
  const dated = (start[7] ?? 0) >> 6;
  if ((dated & 2) === 0 || start.length < 14) return { streamId, bytes };
  const pts = readTimestamp(start, 9);
  const dts = dated === 3 && start.length >= 19 ? readTimestamp(start, 14) : pts;
  return { streamId, bytes, pts, dts };
}

/** A PES packet of sound that begins at `pts` (33 bits). */
export function makePes(streamId: number, pts: number, content: Buffer): Buffer {
  const header = Buffer.alloc(14);
  header.writeUIntBE(1, 0, 3);
  header[3] = streamId;
  const length = 8 + content.length;
  header.writeUInt16BE(length > 0xffff ? 0 : length, 4);
  header[6] = 0x84;
  header[7] = 0x80;
  header[8] = 5;
  header[9] = 0x21 | (Math.floor(pts / 2 ** 30) << 1);
  header.writeUInt16BE(((Math.floor(pts / 2 ** 15) & 0x7fff) << 1) | 1, 10);
  header.writeUInt16BE(((pts & 0x7fff) << 1) | 1, 12);
  return Buffer.concat([header, content]);
}
