import { readTimestamp, TICKS_PER_MS, TIMESTAMP_MODULUS } from './pesTimestamp.ts';

export const TS_PACKET_BYTES = 188;
export const TS_SYNC = 0x47;

/** More elementary streams than any programme that is recorded has; beyond that they are not measured. */
const STREAMS_MAX = 16;
/** A PES header up to and with its presentation timestamp, bytes. */
const PES_HEADER_BYTES = 14;

/** The presentation timestamps of one elementary stream, in ticks from the first one. */
interface Stream {
  readonly first: number;
  lowest: number;
  highest: number;
  count: number;
}

/** Walks MPEG-TS packets as they stream by, in pieces of any size: are they whole, and how much time do they span? */
export class TsWalk {
  /** Where the next packet begins, counted from the start of the next piece. */
  #next = 0;
  #bytes = 0;
  #flaw: string | undefined;
  /** By packet identifier. */
  readonly #streams = new Map<number, Stream>();

  feed(bytes: Buffer): void {
    let at = this.#next;
    for (; at < bytes.length; at += TS_PACKET_BYTES) {
      if (bytes[at] !== TS_SYNC) this.#flaw ??= `no sync byte at byte ${this.#bytes + at}`;
      // A unit begins here. One that lies across two pieces is not read: it is one of many.
      else if (((bytes[at + 1] ?? 0) & 0x40) !== 0 && at + TS_PACKET_BYTES <= bytes.length) {
        this.#unit(bytes, at);
      }
    }
    this.#next = at - bytes.length;
    this.#bytes += bytes.length;
  }

  flaw(): string | undefined {
    const rest = this.#bytes % TS_PACKET_BYTES;
    if (this.#flaw !== undefined || rest === 0) return this.#flaw;
    return `its last packet has ${rest} of ${TS_PACKET_BYTES} bytes`;
  }

  /**
   * How long what it carries lasts, milliseconds: from the first to the last timestamp of the longest stream, and one unit more.
   * Undefined where no stream has two timestamps.
   */
  get spanMs(): number | undefined {
    let longest: number | undefined;
    for (const { lowest, highest, count } of this.#streams.values()) {
      if (count < 2) continue;
      const spanMs = ((highest - lowest) / TICKS_PER_MS) * (count / (count - 1));
      longest = Math.max(longest ?? 0, spanMs);
    }
    return longest;
  }

  #unit(bytes: Buffer, packet: number): void {
    const pid = bytes.readUInt16BE(packet + 1) & 0x1fff;
    const control = ((bytes[packet + 3] ?? 0) >> 4) & 3;
    const adaptation = control === 3 ? 1 + (bytes[packet + 4] ?? 0) : 0;
    const at = packet + 4 + adaptation;
    if (control === 2 || at + PES_HEADER_BYTES > packet + TS_PACKET_BYTES) return;
    const isPes = bytes.readUIntBE(at, 3) === 1;
    const isDated = ((bytes[at + 7] ?? 0) & 0x80) !== 0;
    if (isPes && isMedia(bytes[at + 3] ?? 0) && isDated)
      this.#date(pid, readTimestamp(bytes, at + 9));
  }

  #date(pid: number, ticks: number): void {
    const stream = this.#streams.get(pid);
    if (stream === undefined) {
      if (this.#streams.size === STREAMS_MAX) return;
      this.#streams.set(pid, { first: ticks, lowest: 0, highest: 0, count: 1 });
      return;
    }
    const apart = sinceFirst(ticks, stream.first);
    stream.lowest = Math.min(stream.lowest, apart);
    stream.highest = Math.max(stream.highest, apart);
    stream.count++;
  }
}

/** Sound or picture (ISO 13818-1, table 2-22), or private data, as AC-3 is. */
const isMedia = (streamId: number): boolean =>
  (streamId >= 0xc0 && streamId <= 0xef) || streamId === 0xbd || streamId === 0xfd;

/** The shorter way round: timestamps wrap every 26 hours, and pictures are not sent in the order in which they are shown. */
function sinceFirst(ticks: number, first: number): number {
  const ahead = (ticks - first + TIMESTAMP_MODULUS) % TIMESTAMP_MODULUS;
  return ahead < TIMESTAMP_MODULUS / 2 ? ahead : ahead - TIMESTAMP_MODULUS;
}
