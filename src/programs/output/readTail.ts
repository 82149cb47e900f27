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
  /** What follows lies on a timeline of its own. */
  timeline(): void;
  unit(unit: MediaUnit): void;
  /** Of MPEG-TS: every stored packet. */
  packets(bytes: Buffer): void;
}

/**
 * Reads what was stored last, on the timelines that a program may go on with: so that a host that begins anew knows what the one before it
 * knew. Rejects when a file cannot be read, or is no media any more.
 */
export async function readTail(options: TailOptions): Promise<void> {
  for (const pieces of lastTimelines(options.ledger)) {
    options.timeline();
    await readPieces(options, pieces);
  }
}

/** Pieces of one timeline. */
async function readPieces(options: TailOptions, pieces: readonly SegmentStored[]): Promise<void> {
  const { directory, ledger, signal } = options;
  const [first] = pieces;
  if (first === undefined) return;
  const sink = { unit: options.unit, damaged: () => undefined };
  const isTs = first.container === 'ts';
  const reader: UnitReader = isTs ? new TsReader(sink) : new Mp4Reader(sink);
  const init = first.init === undefined ? undefined : ledger.init(first.init);
  for (const { file } of [...(init === undefined ? [] : [init]), ...pieces]) {
    for await (const bytes of partsOf(path.join(directory, file), signal)) {
      if (isTs) options.packets(bytes);
      reader.write(bytes);
    }
  }
  reader.end(true);
}

/** The last pieces, those that share a clock and an initialisation section together. */
function lastTimelines(ledger: Ledger): SegmentStored[][] {
  const timelines: SegmentStored[][] = [];
  let after: SegmentStored | undefined;
  let bytes = 0;
  let durationMs = 0;
  for (const piece of ledger.tail(TRACK, TAIL_PIECES).toReversed()) {
    if (piece.container !== 'ts' && piece.container !== 'fmp4') break;
    bytes += piece.bytes;
    if (after !== undefined && (bytes > TAIL_BYTES_MAX || durationMs >= JOIN_TAIL_MS)) break;
    durationMs += piece.durationMs;
    const isSame = after !== undefined && sharesTimeline(piece, after);
    if (isSame) timelines[0]?.unshift(piece);
    else timelines.unshift([piece]);
    after = piece;
  }
  return timelines;
}

const sharesTimeline = (one: SegmentStored, other: SegmentStored): boolean =>
  one.epoch === other.epoch &&
  one.discontinuity === other.discontinuity &&
  one.init === other.init &&
  one.container === other.container;

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
