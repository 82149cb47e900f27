import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { LedgerRecord } from './record.ts';
import { recordSchema } from './recordSchema.ts';

/** Eight hex digits and a space. */
const PREFIX_BYTES = 9;

/**
 * One journal line: `<CRC-32 of the JSON, 8 hex digits> <JSON>\n`. Throws when the record is not one a reader would
 * accept: a line that cannot be read back must never get into a journal.
 */
export function encodeLine(record: LedgerRecord): string {
  const json = JSON.stringify(recordSchema.parse(record));
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** What a line holds: a record, or why it holds none. `damaged`: its bytes changed; `unknown`: it was written so. */
export type DecodedLine =
  | { readonly kind: 'record'; readonly record: LedgerRecord }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Reads one line, given without its line end. */
export function decodeLine(line: Buffer): DecodedLine {
  const prefix = line.toString('latin1', 0, PREFIX_BYTES);
  if (!/^[0-9a-f]{8} $/.test(prefix)) return { kind: 'damaged', reason: 'no checksum' };
  const json = line.subarray(PREFIX_BYTES);
  if (crc32(json) !== Number.parseInt(prefix, 16)) {
    return { kind: 'damaged', reason: 'checksum mismatch' };
  }
  let content: unknown;
  try {
    content = JSON.parse(json.toString('utf8'));
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) };
  }
  const parsed = recordSchema.safeParse(content);
  if (parsed.success) return { kind: 'record', record: parsed.data };
  return { kind: 'unknown', reason: z.prettifyError(parsed.error) };
}
