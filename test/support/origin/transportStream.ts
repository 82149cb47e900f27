/** Taking MPEG-TS apart (ISO 13818-1), as far as the sets of this origin need it: one programme, one PMT of one packet. */

const PACKET_BYTES = 188;
const PAT_PID = 0;
/** Says that no stream carries the clock. */
const NO_PID = 0x1fff;
const STREAM_TYPE = { video: 0x1b, audio: 0x0f } as const;

export type Elementary = keyof typeof STREAM_TYPE;

const pidOf = (packet: Buffer): number => packet.readUInt16BE(1) & 0x1fff;

function packetsOf(body: Uint8Array): Buffer[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  return Array.from({ length: bytes.length / PACKET_BYTES }, (_, at) =>
    bytes.subarray(at * PACKET_BYTES, (at + 1) * PACKET_BYTES),
  );
}

/** Where the payload of a packet begins, behind its header and adaptation field. */
const payloadOf = (packet: Buffer): Buffer =>
  packet.subarray((packet.readUInt8(3) & 0x20) === 0 ? 4 : 5 + packet.readUInt8(4));

/** The table section that a packet carries, from its table id to the end of its checksum. */
function sectionOf(packet: Buffer): Buffer {
  const payload = payloadOf(packet);
  const start = 1 + payload.readUInt8(0);
  return payload.subarray(start, start + 3 + (payload.readUInt16BE(start + 1) & 0xfff));
}

interface Program {
  readonly pmtPid: number;
  readonly pids: Readonly<Record<Elementary, number>>;
}

function programOf(packets: readonly Buffer[]): Program {
  const pat = packets.find((packet) => pidOf(packet) === PAT_PID);
  if (pat === undefined) throw new Error('no PAT');
  const pmtPid = sectionOf(pat).readUInt16BE(10) & 0x1fff;
  const pmt = packets.find((packet) => pidOf(packet) === pmtPid);
  if (pmt === undefined) throw new Error('no PMT');
  const pids = { video: NO_PID, audio: NO_PID };
  for (const entry of entriesOf(sectionOf(pmt))) {
    if (entry[0] === STREAM_TYPE.video) pids.video = entry.readUInt16BE(1) & 0x1fff;
    if (entry[0] === STREAM_TYPE.audio) pids.audio = entry.readUInt16BE(1) & 0x1fff;
  }
  return { pmtPid, pids };
}

function entriesOf(pmt: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  let at = 12 + (pmt.readUInt16BE(10) & 0xfff);
  while (at < pmt.length - 4) {
    const end = at + 5 + (pmt.readUInt16BE(at + 3) & 0xfff);
    entries.push(pmt.subarray(at, end));
    at = end;
  }
  return entries;
}

/** The same segment with one of its two elementary streams only. */
export function onlyStream(body: Uint8Array, kept: Elementary): Buffer {
  const packets = packetsOf(body);
  const { pmtPid, pids } = programOf(packets);
  const dropped = kept === 'video' ? pids.audio : pids.video;
  return Buffer.concat(
    packets
      .filter((packet) => pidOf(packet) !== dropped)
      .map((packet) => (pidOf(packet) === pmtPid ? pmtOf(packet, kept, pids[kept]) : packet)),
  );
}

/** The PMT without the other stream. Only video carries the clock. */
function pmtOf(packet: Buffer, kept: Elementary, pid: number): Buffer {
  const section = sectionOf(packet);
  const start = section.byteOffset - packet.byteOffset;
  const entry = entriesOf(section).find((one) => (one.readUInt16BE(1) & 0x1fff) === pid);
  if (entry === undefined) throw new Error(`the PMT has no stream ${pid}`);
  const head = Buffer.from(section.subarray(0, 12 + (section.readUInt16BE(10) & 0xfff)));
  head.writeUInt16BE(0xb000 | (head.length - 3 + entry.length + 4), 1);
  head.writeUInt16BE(0xe000 | (kept === 'video' ? pid : NO_PID), 8);
  const table = Buffer.concat([head, entry]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32Mpeg(table));
  const rest = Buffer.alloc(PACKET_BYTES - start - table.length - 4, 0xff);
  return Buffer.concat([packet.subarray(0, start), table, checksum, rest]);
}

/** CRC-32/MPEG-2: unlike zlib's neither reflected nor inverted at the end. */
function crc32Mpeg(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** The payload of one stream and its first presentation time, in ticks of 90 kHz. */
export function elementaryStream(
  body: Uint8Array,
  kind: Elementary,
): { readonly startTicks: number; readonly bytes: Buffer } {
  const packets = packetsOf(body);
  const { pids } = programOf(packets);
  let startTicks: number | undefined;
  const pieces: Buffer[] = [];
  for (const packet of packets.filter((one) => pidOf(one) === pids[kind])) {
    let payload = payloadOf(packet);
    if ((packet.readUInt8(1) & 0x40) !== 0) {
      startTicks ??= ticksOf(payload);
      payload = payload.subarray(9 + payload.readUInt8(8));
    }
    pieces.push(payload);
  }
  if (startTicks === undefined) throw new Error(`the segment has no ${kind}`);
  return { startTicks, bytes: Buffer.concat(pieces) };
}

/** PTS of a PES header: 33 bits in five bytes. */
const ticksOf = (pes: Buffer): number =>
  ((pes.readUInt8(9) >> 1) & 7) * 2 ** 30 +
  ((pes.readUInt16BE(10) >> 1) << 15) +
  (pes.readUInt16BE(12) >> 1);
