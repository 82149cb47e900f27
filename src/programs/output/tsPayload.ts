import { TS_PACKET_BYTES } from '../../recording/files/tsWalk.ts';

/** Where the payload of a packet begins, from the packet's start; 188 when it has none. */
export function payloadStart(packets: Buffer, at: number): number {
  const control = (packets[at + 3] ?? 0) >> 4;
  if ((control & 1) === 0) return TS_PACKET_BYTES;
  if ((control & 2) === 0) return 4;
  return Math.min(TS_PACKET_BYTES, 5 + (packets[at + 4] ?? 0));
}

/** The first bytes of the payload of packets of one stream, as many as there are up to `bytesMax`. */
export const firstPayload = (packets: Buffer, bytesMax: number): Buffer =>
  firstPayloadIn(packets, Buffer.allocUnsafe(Math.min(bytesMax, packets.length)));

/** The same, copied into a buffer that is used again and again, as many as fit into it: a new one for each picture is most of the garbage. */
export function firstPayloadIn(packets: Buffer, room: Buffer): Buffer {
  let bytes = 0;
  for (let at = 0; at < packets.length && bytes < room.length; at += TS_PACKET_BYTES) {
    bytes += packets.copy(room, bytes, at + payloadStart(packets, at), at + TS_PACKET_BYTES);
  }
  return bytes === room.length ? room : room.subarray(0, bytes);
}

/** The last bytes of the payload, as many as fit into the buffer. */
export function lastPayloadIn(packets: Buffer, room: Buffer): Buffer {
  let from = room.length;
  for (let end = packets.length; end > 0 && from > 0; end -= TS_PACKET_BYTES) {
    const start = payloadStart(packets, end - TS_PACKET_BYTES);
    const bytes = Math.min(from, TS_PACKET_BYTES - start);
    packets.copy(room, from - bytes, end - bytes, end);
    from -= bytes;
  }
  return from === 0 ? room : room.subarray(from);
}

/** Whether the last packet is filled up with stuffing, as is done only where a PES packet ends. */
export function endsStuffed(packets: Buffer): boolean {
  const at = packets.length - TS_PACKET_BYTES;
  if (at < 0 || ((packets[at + 3] ?? 0) & 0x20) === 0) return false;
  const bytes = packets[at + 4] ?? 0;
  if (bytes === 0) return true;
  const flags = packets[at + 5] ?? 0;
  const clocks = ((flags & 0x10) === 0 ? 0 : 6) + ((flags & 0x08) === 0 ? 0 : 6);
  const others = (flags & 0x07) === 0 ? 0 : 1;
  return others === 0 && bytes > 1 + clocks;
}

/** Puts a payload into packets of one stream, the last one filled up with stuffing. Continuity counters are left at 0. */
export function packetise(pid: number, payload: Buffer): Buffer {
  const room = TS_PACKET_BYTES - 4;
  const packets = Buffer.alloc(Math.ceil(payload.length / room) * TS_PACKET_BYTES, 0xff);
  for (let at = 0, taken = 0; at < packets.length; at += TS_PACKET_BYTES) {
    const bytes = Math.min(room, payload.length - taken);
    const stuffing = room - bytes;
    packets[at] = 0x47;
    packets.writeUInt16BE((at === 0 ? 0x4000 : 0) | pid, at + 1);
    packets[at + 3] = stuffing === 0 ? 0x10 : 0x30;
    if (stuffing > 0) packets[at + 4] = stuffing - 1;
    if (stuffing > 1) packets[at + 5] = 0;
    payload.copy(packets, at + TS_PACKET_BYTES - bytes, taken, taken + bytes);
    taken += bytes;
  }
  return packets;
}
