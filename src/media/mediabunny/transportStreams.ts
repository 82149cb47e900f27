import { createReadStream } from 'node:fs';
import type { InputParts } from './protocol.ts';

/** A stream of pictures or sound in MPEG-TS. */
export interface TransportStream {
  readonly kind: 'video' | 'audio';
  /** Packet identifier. */
  readonly id: number;
  /** `0x11`, or `0x06 Opus` where a descriptor says what it is. */
  readonly type: string;
}

const PACKET_BYTES = 188;
const SYNC = 0x47;

/** Stream types (ISO/IEC 13818-1 table 2-34, ATSC A/53, and what is customary in HLS). */
const VIDEO_TYPES = new Set([0x01, 0x02, 0x10, 0x1b, 0x20, 0x21, 0x24, 0x33, 0x42, 0xd2, 0xea]);
const AUDIO_TYPES = new Set([
  ...[0x03, 0x04, 0x0f, 0x11, 0x1c, 0x2d, 0x2e],
  ...[0x81, 0x82, 0x83, 0x84, 0x85, 0x87, 0x8a],
]);
/** Private data, whose descriptors tell what it is. */
const PRIVATE_TYPE = 0x06;
/** AC-3, E-AC-3, DTS, AAC (ETSI EN 300 468). */
const AUDIO_DESCRIPTORS = new Set([0x6a, 0x7a, 0x7b, 0x7c]);
const REGISTRATION_DESCRIPTOR = 0x05;
const AUDIO_REGISTRATIONS = new Set([
  ...['Opus', 'BSSD', 'AC-3', 'EAC3', 'AC-4', 'DTS1', 'DTS2', 'DTS3'],
]);
const VIDEO_REGISTRATIONS = new Set(['HEVC', 'AV01', 'VC-1', 'drac']);

/**
 * The streams of pictures and sound that MPEG-TS announces and has packets of. A demuxer passes over what it does not know
 * without a word; this tells what it must not be allowed to lose. Empty for anything that is not MPEG-TS.
 */
export async function transportStreams(files: InputParts): Promise<TransportStream[]> {
  const announced = new Map<number, TransportStream>();
  const maps = new Set<number>();
  const begun = new Set<number>();
  for (const file of files) {
    for await (const packet of packets(file)) {
      // Only where something begins: a table that is longer than one packet names more than sixteen streams.
      if (((packet[1] ?? 0) & 0x40) === 0) continue;
      const id = packet.readUInt16BE(1) & 0x1fff;
      const payload = payloadOf(packet);
      if (payload === undefined) continue;
      if (id === 0) for (const map of mapsIn(payload)) maps.add(map);
      else if (maps.has(id))
        for (const stream of streamsIn(payload)) announced.set(stream.id, stream);
      else begun.add(id);
    }
  }
  return [...announced.values()].filter(({ id }) => begun.has(id));
}

/** Nothing when the file does not consist of packets. */
async function* packets(file: string): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file)) {
    // The stream has no encoding set, so that its chunks are buffers.
    rest = Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    for (; at + PACKET_BYTES <= rest.length; at += PACKET_BYTES) {
      if (rest[at] !== SYNC) return;
      yield rest.subarray(at, at + PACKET_BYTES);
    }
    rest = rest.subarray(at);
  }
}

function payloadOf(packet: Buffer): Buffer | undefined {
  const control = ((packet[3] ?? 0) >> 4) & 3;
  if ((control & 1) === 0) return undefined;
  const from = control === 3 ? 5 + (packet[4] ?? 0) : 4;
  return from < packet.length ? packet.subarray(from) : undefined;
}

/** The body of a table's section, behind its version and section numbers and without its checksum. */
function sectionIn(payload: Buffer, table: number): Buffer | undefined {
  const start = 1 + (payload[0] ?? 0);
  if (payload[start] !== table || start + 8 > payload.length) return undefined;
  const bytes = payload.readUInt16BE(start + 1) & 0xfff;
  return payload.subarray(start + 8, Math.max(start + 8, start + 3 + bytes - 4));
}

function mapsIn(payload: Buffer): number[] {
  const section = sectionIn(payload, 0);
  const maps: number[] = [];
  for (let at = 0; section !== undefined && at + 4 <= section.length; at += 4) {
    // Program 0 is the network's own table.
    if (section.readUInt16BE(at) !== 0) maps.push(section.readUInt16BE(at + 2) & 0x1fff);
  }
  return maps;
}

function streamsIn(payload: Buffer): TransportStream[] {
  const section = sectionIn(payload, 2);
  if (section === undefined || section.length < 4) return [];
  const streams: TransportStream[] = [];
  for (let at = 4 + (section.readUInt16BE(2) & 0xfff); at + 5 <= section.length; ) {
    const descriptors = at + 5 + (section.readUInt16BE(at + 3) & 0xfff);
    const type = section[at] ?? 0;
    const found = kindOf(type, section.subarray(at + 5, descriptors));
    if (found !== undefined) {
      const name = `0x${type.toString(16).padStart(2, '0')}${found.says}`;
      streams.push({ kind: found.kind, id: section.readUInt16BE(at + 1) & 0x1fff, type: name });
    }
    at = descriptors;
  }
  return streams;
}

function kindOf(
  type: number,
  descriptors: Buffer,
): { readonly kind: TransportStream['kind']; readonly says: string } | undefined {
  if (VIDEO_TYPES.has(type)) return { kind: 'video', says: '' };
  if (AUDIO_TYPES.has(type)) return { kind: 'audio', says: '' };
  if (type !== PRIVATE_TYPE) return undefined;
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
    const tag = descriptors[at] ?? 0;
    if (AUDIO_DESCRIPTORS.has(tag)) return { kind: 'audio', says: ` 0x${tag.toString(16)}` };
    if (tag !== REGISTRATION_DESCRIPTOR) continue;
    const name = descriptors.toString('latin1', at + 2, at + 6);
    if (AUDIO_REGISTRATIONS.has(name)) return { kind: 'audio', says: ` ${name}` };
    if (VIDEO_REGISTRATIONS.has(name)) return { kind: 'video', says: ` ${name}` };
  }
  return undefined;
}
