import { crc32 } from 'node:zlib';
import type { MediaLayout, StreamKind } from './mediaUnit.ts';
import { boxesIn, boxIn, type Mp4Box } from './mp4Boxes.ts';
import { notFragmented } from './mp4Failure.ts';

/** A track, and what its fragments leave unsaid (trex). */
export interface Mp4Track {
  readonly key: string;
  readonly kind: StreamKind;
  /** Ticks of its timestamps in a second. */
  readonly timescale: number;
  readonly defaults: SampleDefaults;
}

export interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

export interface Mp4Layout extends MediaLayout {
  /** By track number. */
  readonly tracks: ReadonlyMap<number, Mp4Track>;
}

/** Reads an initialisation section: ftyp (if there was one) and moov. Throws `segment.invalid` when the file is not fragmented. */
export function mp4Layout(head: Buffer): Mp4Layout {
  const moov = boxIn(head, { from: 0, to: head.length }, 'moov');
  const mvex = moov && boxIn(head, moov, 'mvex');
  if (moov === undefined || mvex === undefined) {
    throw notFragmented();
  }
  const defaults = new Map<number, SampleDefaults>();
  for (const { type, from, to } of boxesIn(head, mvex.from, mvex.to)) {
    if (type !== 'trex' || to - from < 24) continue;
    const [duration, size, flags] = [12, 16, 20].map((offset) => head.readUInt32BE(from + offset));
    defaults.set(head.readUInt32BE(from + 4), {
      duration: duration ?? 0,
      size: size ?? 0,
      flags: flags ?? 0,
    });
  }
  const tracks = new Map<number, Mp4Track>();
  const counts = new Map<StreamKind, number>();
  for (const box of boxesIn(head, moov.from, moov.to)) {
    const found = box.type === 'trak' ? trackIn(head, box) : undefined;
    if (found === undefined) continue;
    const ordinal = counts.get(found.kind) ?? 0;
    counts.set(found.kind, ordinal + 1);
    tracks.set(found.id, {
      ...{ key: `${found.kind}:${ordinal}`, kind: found.kind, timescale: found.timescale },
      defaults: defaults.get(found.id) ?? { duration: 0, size: 0, flags: 0 },
    });
  }
  const keys = new Set([...tracks.values()].map(({ key }) => key));
  const primary = ['video:0', 'sound:0'].find((key) => keys.has(key));
  return { container: 'fmp4', primary, signature: `${head.length}:${crc32(head)}`, head, tracks };
}

function trackIn(
  head: Buffer,
  trak: Mp4Box,
): { readonly id: number; readonly kind: StreamKind; readonly timescale: number } | undefined {
  const tkhd = boxIn(head, trak, 'tkhd');
  const mdia = boxIn(head, trak, 'mdia');
  const mdhd = mdia && boxIn(head, mdia, 'mdhd');
  const hdlr = mdia && boxIn(head, mdia, 'hdlr');
  if (tkhd === undefined || mdhd === undefined || hdlr === undefined) return undefined;
  if (tkhd.to - tkhd.from < 24 || mdhd.to - mdhd.from < 24 || hdlr.to - hdlr.from < 12)
    return undefined;
  const id = head.readUInt32BE(tkhd.from + (head[tkhd.from] === 1 ? 20 : 12));
  const timescale = head.readUInt32BE(mdhd.from + (head[mdhd.from] === 1 ? 20 : 12));
  const handler = head.toString('latin1', hdlr.from + 8, hdlr.from + 12);
  const kind = handler === 'vide' ? 'video' : handler === 'soun' ? 'sound' : 'data';
  return { id, kind, timescale: Math.max(1, timescale) };
}
