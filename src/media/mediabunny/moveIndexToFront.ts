import { type FileHandle, open } from 'node:fs/promises';

/** Moved at once, bytes; an index of a day has some 30 MB and is moved in pieces of its own size. */
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Index boxes that hold other boxes on the way to the chunk offsets. */
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
const OFFSET_32_MAX = 2 ** 32 - 1;

interface Box {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
}

/**
 * Moves the index (`moov`) of an MP4 before its data, so that a player can begin before it has all of the file. In place, with
 * no second copy of the data: what lies between is shifted by the size of the index, block by block. Leaves the file as it is
 * when the index is in front already, or when its 32-bit offsets have no room for the shift.
 */
export async function moveIndexToFront(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const boxes = await topBoxes(handle);
    const index = boxes.at(-1);
    const data = boxes.find(({ name }) => name === 'mdat');
    if (index?.name !== 'moov' || data === undefined || data.start > index.start) return;
    const moov = Buffer.alloc(index.bytes);
    await readFully(handle, moov, index.start);
    if (!shiftOffsets(moov, { from: data.start, by: index.bytes })) return;
    await insert(handle, moov, { at: data.start, end: index.start });
  } finally {
    await handle.close();
  }
}

async function topBoxes(handle: FileHandle): Promise<Box[]> {
  const { size } = await handle.stat();
  const header = Buffer.alloc(16);
  const boxes: Box[] = [];
  for (let start = 0; start < size; ) {
    await handle.read(header, 0, 16, start);
    const short = header.readUInt32BE(0);
    const bytes = short === 1 ? Number(header.readBigUInt64BE(8)) : short || size - start;
    if (bytes < 8 || start + bytes > size) throw new Error('the finished file is malformed');
    boxes.push({ name: header.toString('latin1', 4, 8), start, bytes });
    start += bytes;
  }
  return boxes;
}

/** False, with nothing changed that matters, when an offset has no room. */
function shiftOffsets(
  moov: Buffer,
  shift: { readonly from: number; readonly by: number },
): boolean {
  for (const { name, start } of tables(moov, 0, moov.length)) {
    const count = moov.readUInt32BE(start + 12);
    for (let entry = 0; entry < count; entry++) {
      if (name === 'stco') {
        const at = start + 16 + entry * 4;
        const offset = moov.readUInt32BE(at);
        if (offset < shift.from) continue;
        if (offset + shift.by > OFFSET_32_MAX) return false;
        moov.writeUInt32BE(offset + shift.by, at);
      } else {
        const at = start + 16 + entry * 8;
        const offset = moov.readBigUInt64BE(at);
        if (offset >= BigInt(shift.from)) moov.writeBigUInt64BE(offset + BigInt(shift.by), at);
      }
    }
  }
  return true;
}

/** The tables of chunk offsets, wherever they are in the index. */
function* tables(moov: Buffer, from: number, to: number): Generator<Box, void, undefined> {
  for (let start = from; start + 8 <= to; ) {
    const bytes = moov.readUInt32BE(start);
    const name = moov.toString('latin1', start + 4, start + 8);
    if (bytes < 8 || start + bytes > to) throw new Error('the index is malformed');
    if (name === 'stco' || name === 'co64') yield { name, start, bytes };
    else if (CONTAINERS.has(name)) yield* tables(moov, start + 8, start + bytes);
    start += bytes;
  }
}

/** Writes `inserted` at a place and everything from there to `end` behind it. */
async function insert(
  handle: FileHandle,
  inserted: Buffer,
  { at, end }: { readonly at: number; readonly end: number },
): Promise<void> {
  const block = Math.max(BLOCK_BYTES, inserted.length);
  // What must still be written, in order. A block is read before the place that it stands in is written over.
  let pending: Buffer = inserted;
  let readAt = at;
  let writeAt = at;
  while (pending.length > 0) {
    const next = Buffer.alloc(Math.min(block, end - readAt));
    await readFully(handle, next, readAt);
    readAt += next.length;
    await writeFully(handle, pending, writeAt);
    writeAt += pending.length;
    pending = next;
  }
}

async function readFully(handle: FileHandle, target: Buffer, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new Error('the finished file became shorter while it was read');
    done += bytesRead;
  }
}

async function writeFully(handle: FileHandle, source: Buffer, position: number): Promise<void> {
  for (let done = 0; done < source.length; ) {
    const { bytesWritten } = await handle.write(
      source,
      done,
      source.length - done,
      position + done,
    );
    done += bytesWritten;
  }
}
