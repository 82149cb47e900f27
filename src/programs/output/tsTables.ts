import { TS_PACKET_BYTES } from '../../recording/files/tsWalk.ts';
import type { StreamKind } from './mediaUnit.ts';
import { payloadStart } from './tsPayload.ts';

/** An elementary stream, as a programme map lists it. */
export interface ListedStream {
  readonly pid: number;
  readonly type: number;
  /** `table`: it carries sections, not PES packets. */
  readonly kind: StreamKind | 'table';
}

/** A table of the transport stream: PAT (ISO 13818-1 §2.4.4.3) or PMT (§2.4.4.8). */
const SECTION_BYTES_MAX = 1_024;

const VIDEO_TYPES = new Set([
  0x01, 0x02, 0x10, 0x1b, 0x1f, 0x20, 0x21, 0x24, 0x33, 0x42, 0xd1, 0xea,
]);
const SOUND_TYPES = new Set([
  0x03, 0x04, 0x0f, 0x11, 0x1c, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0xc1, 0xcf,
]);
const TABLE_TYPES = new Set([0x05, 0x0d, 0x86]);
/** Private data: what it is its descriptors say (ETSI EN 300 468): AC-3, E-AC-3, DTS, AAC. */
const PRIVATE_TYPE = 0x06;
const SOUND_DESCRIPTORS = new Set([0x6a, 0x7a, 0x7b, 0x7c]);
const REGISTERED_SOUND = /^(?:Opus|AC-3|EAC3|DTS[123]|BSSD)$/;
const REGISTERED_VIDEO = /^(?:HEVC|VC-1|AV01|drac)$/;

/** Gathers the sections of one packet identifier. */
export class SectionReader {
  #section: Buffer = Buffer.alloc(0);
  #isOpen = false;

  /** The next packet; returns a section when it is whole, and its checksum right. */
  take(packets: Buffer, at: number): Buffer | undefined {
    let from = at + payloadStart(packets, at);
    const end = at + TS_PACKET_BYTES;
    if (from >= end) return undefined;
    if (((packets[at + 1] ?? 0) & 0x40) !== 0) {
      from += 1 + (packets[from] ?? 0);
      this.#section = Buffer.alloc(0);
      this.#isOpen = from < end;
    }
    if (!this.#isOpen) return undefined;
    this.#section = Buffer.concat([this.#section, packets.subarray(from, end)]);
    if (this.#section.length < 3) return undefined;
    const bytes = 3 + (this.#section.readUInt16BE(1) & 0xfff);
    if (bytes > SECTION_BYTES_MAX) this.#isOpen = false;
    if (!this.#isOpen || this.#section.length < bytes) return undefined;
    this.#isOpen = false;
    const section = this.#section.subarray(0, bytes);
    return bytes >= 12 && crcOf(section) === 0 ? section : undefined;
  }
}

/** Packet identifiers of the programme maps that a PAT lists; undefined when it is none, or not valid yet. */
export function mapsOf(section: Buffer): number[] | undefined {
  if (section[0] !== 0 || ((section[5] ?? 0) & 1) === 0) return undefined;
  const maps: number[] = [];
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    if (section.readUInt16BE(at) !== 0) maps.push(section.readUInt16BE(at + 2) & 0x1fff);
  }
  return maps;
}

/** The streams that a PMT lists, and the one that carries its clock; undefined when it is none, or not valid yet. */
export function streamsOf(
  section: Buffer,
): { readonly clockPid: number; readonly streams: readonly ListedStream[] } | undefined {
  if (section[0] !== 2 || ((section[5] ?? 0) & 1) === 0) return undefined;
  const clockPid = section.readUInt16BE(8) & 0x1fff;
  const streams: ListedStream[] = [];
  const end = section.length - 4;
  for (let at = 12 + (section.readUInt16BE(10) & 0xfff); at + 5 <= end; ) {
    const type = section[at] ?? 0;
    const pid = section.readUInt16BE(at + 1) & 0x1fff;
    const descriptors = section.subarray(
      at + 5,
      Math.min(end, at + 5 + (section.readUInt16BE(at + 3) & 0xfff)),
    );
    streams.push({ pid, type, kind: kindOf(type, descriptors) });
    at += 5 + (section.readUInt16BE(at + 3) & 0xfff);
  }
  return { clockPid, streams };
}

function kindOf(type: number, descriptors: Buffer): ListedStream['kind'] {
  const found = [...walk(descriptors)];
  const registered = found.find(({ tag }) => tag === 5)?.body.toString('latin1', 0, 4) ?? '';
  // 0x86 is DTS sound on Blu-ray discs, and SCTE-35 everywhere else.
  if (TABLE_TYPES.has(type)) return 'table';
  if (VIDEO_TYPES.has(type)) return 'video';
  if (SOUND_TYPES.has(type)) return 'sound';
  if (type !== PRIVATE_TYPE) return 'data';
  if (REGISTERED_VIDEO.test(registered)) return 'video';
  const isSound =
    REGISTERED_SOUND.test(registered) || found.some(({ tag }) => SOUND_DESCRIPTORS.has(tag));
  return isSound ? 'sound' : 'data';
}

function* walk(descriptors: Buffer): Generator<{ readonly tag: number; readonly body: Buffer }> {
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
    const body = descriptors.subarray(at + 2, at + 2 + (descriptors[at + 1] ?? 0));
    yield { tag: descriptors[at] ?? 0, body };
  }
}

/** CRC-32/MPEG-2 of a section with its own checksum: 0 when it is right. */
function crcOf(section: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of section) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    crc |= 0;
  }
  return crc;
}
