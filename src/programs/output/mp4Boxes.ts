/** A box (ISO 14496-12 §4.2) within a buffer. */
export interface Mp4Box {
  readonly type: string;
  /** Where its content begins, and where it ends. */
  readonly from: number;
  readonly to: number;
  /** Where its header begins. */
  readonly start: number;
}

export interface BoxHeader {
  readonly type: string;
  readonly headerBytes: number;
  /** Header included. */
  readonly bytes: number;
}

/** Reads a header; undefined while too little of it is there. A box that runs to the end of the file has infinitely many bytes. */
export function boxHeader(bytes: Buffer, at: number): BoxHeader | undefined {
  if (at + 8 > bytes.length) return undefined;
  const size = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (size === 0) return { type, headerBytes: 8, bytes: Number.POSITIVE_INFINITY };
  if (size !== 1) return { type, headerBytes: 8, bytes: size };
  if (at + 16 > bytes.length) return undefined;
  return { type, headerBytes: 16, bytes: Number(bytes.readBigUInt64BE(at + 8)) };
}

/** The boxes within a part of a buffer; what does not add up ends the walk. */
export function* boxesIn(bytes: Buffer, from: number, to: number): Generator<Mp4Box> {
  for (let at = from; at < to; ) {
    const header = boxHeader(bytes, at);
    if (header === undefined || header.bytes < header.headerBytes || at + header.bytes > to) return;
    const { type, headerBytes } = header;
    yield { type, start: at, from: at + headerBytes, to: at + header.bytes };
    at += header.bytes;
  }
}

/** The first box of a type within another; undefined when there is none. */
export function boxIn(
  bytes: Buffer,
  within: Pick<Mp4Box, 'from' | 'to'>,
  type: string,
): Mp4Box | undefined {
  for (const box of boxesIn(bytes, within.from, within.to)) if (box.type === type) return box;
  return undefined;
}

/** A box of this content. */
export function makeBox(type: string, ...contents: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(
    contents.reduce((sum, one) => sum + one.length, 8),
    0,
  );
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...contents]);
}
