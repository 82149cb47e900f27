import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentStored } from '../../ledger/record.ts';
import { TS_PACKET_BYTES } from '../../recording/files/tsWalk.ts';
import type { MediaUnit, UnitReader } from './mediaUnit.ts';
import { Mp4Reader } from './mp4Reader.ts';
import { TRACK } from './pieceLength.ts';
import { JOIN_TAIL_MS } from './storedTail.ts';
import { TsReader } from './tsReader.ts';

/** What is read at most: 120 s at 8 Mb/s. Of more, the end. */
const TAIL_BYTES_MAX = 128 * 1024 * 1024;
/** More pieces than 120 s have: of sources that make very short ones, the end. */
const TAIL_PIECES = 256;
/** Read at once: whole packets. */
const READ_BYTES = 4_096 * TS_PACKET_BYTES;

export interface TailOptions {
  readonly directory: string;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  unit(unit: MediaUnit): void;
  /** Of MPEG-TS: every stored packet. */
  packets(bytes: Buffer): void;
}

/**
 * Reads what was stored last, on the clock that a program may go on with: so that a host that begins anew knows what the one before it
 * knew. Rejects when a file cannot be read, or is no media any more.
 */
export async function readTail(options: TailOptions): Promise<void> {
  const pieces = lastPieces(options.ledger);
  const last = pieces.at(-1);
  if (last === undefined) return;
  const sink = { unit: options.unit, damaged: () => undefined };
  const isTs = last.container === 'ts';
  const reader: UnitReader = isTs ? new TsReader(sink) : new Mp4Reader(sink);
  const init = last.init === undefined ? undefined : options.ledger.init(last.init);
  for (const file of [
    ...(init === undefined ? [] : [init.file]),
    ...pieces.map((one) => one.file),
  ]) {
    for await (const bytes of partsOf(path.join(options.directory, file), options.signal)) {
      if (isTs) options.packets(bytes);
      reader.write(bytes);
    }
  }
  reader.end(true);
}

/** The last pieces that share a clock and an initialisation section. */
function lastPieces(ledger: Ledger): SegmentStored[] {
  const tail = ledger.tail(TRACK, TAIL_PIECES);
  const last = tail.at(-1);
  if (last === undefined || (last.container !== 'ts' && last.container !== 'fmp4')) return [];
  const found: SegmentStored[] = [];
  let bytes = 0;
  let durationMs = 0;
  for (const piece of tail.toReversed()) {
    const isSame = piece.epoch === last.epoch && piece.discontinuity === last.discontinuity;
    if (!isSame || piece.init !== last.init || piece.container !== last.container) break;
    bytes += piece.bytes;
    if (found.length > 0 && (bytes > TAIL_BYTES_MAX || durationMs >= JOIN_TAIL_MS)) break;
    durationMs += piece.durationMs;
    found.unshift(piece);
  }
  return found;
}

async function* partsOf(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const handle = await open(file);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead, buffer } = await handle.read(
        Buffer.allocUnsafe(READ_BYTES),
        0,
        READ_BYTES,
      );
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
