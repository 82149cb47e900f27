import { invalid } from '../../recording/files/container.ts';
import { TS_PACKET_BYTES, TS_SYNC } from '../../recording/files/tsWalk.ts';
import { MARKED_BYTES } from './contentMark.ts';
import { PES_HEADER_BYTES_MAX } from './pesHeader.ts';
import { endsStuffed, payloadStart } from './tsPayload.ts';
import type { ListedStream } from './tsTables.ts';

/** Longer than any picture: 8K intra at 800 Mb/s and 25 pictures/s has 4 MB. */
const PES_BYTES_MAX = 32 * 1024 * 1024;
/** Room for the first PES packet; it grows by doubling. */
const ROOM_BYTES = 16 * 1024;
/** Length field of a PES packet that does not say its length. */
const UNBOUNDED = 0;

/** Packets that make up one whole PES packet. Valid until the stream takes the next one. */
export interface WholePes {
  readonly packets: Buffer;
  readonly payloadBytes: number;
  /** Its first packet says that decoding can begin here. */
  readonly isRandomAccess: boolean;
}

/** What a packet means for the stream. `begins`: the PES packet before it is over. `lost`: packets are missing before it. */
export type PacketNews = 'begins' | 'continues' | 'ignored' | 'lost';

/** Puts the packets of one elementary stream together to PES packets. */
export class TsStream {
  readonly listed: ListedStream;
  readonly key: string;
  /** Where the beginning and the end of a PES packet are put together to be looked at. */
  readonly first: Buffer = Buffer.allocUnsafeSlow(PES_HEADER_BYTES_MAX + MARKED_BYTES);
  readonly last: Buffer = Buffer.allocUnsafeSlow(MARKED_BYTES);
  #content: Buffer = Buffer.alloc(0);
  #packets: Buffer = Buffer.allocUnsafe(ROOM_BYTES);
  #bytes = 0;
  #payloadBytes = 0;
  /** What the header says that the PES packet has; infinite where it does not. */
  #expected = Number.POSITIVE_INFINITY;
  #isOpen = false;
  #isRandomAccess = false;
  /** Continuity counter of the last packet with payload. */
  #counter: number | undefined;

  constructor(listed: ListedStream, key: string) {
    this.listed = listed;
    this.key = key;
  }

  /** Room for more of its content, so many bytes. */
  roomFor(bytes: number): Buffer {
    if (bytes > this.#content.length) this.#content = Buffer.allocUnsafeSlow(2 * bytes);
    return this.#content.subarray(0, bytes);
  }

  /** Looks at a packet's header; what it belongs to is then told with `begin` or `append`. */
  look(bytes: Buffer, at: number): PacketNews {
    const control = bytes[at + 3] ?? 0;
    const hasPayload = (control & 0x10) !== 0;
    if (!hasPayload) return this.#isOpen ? 'continues' : 'ignored';
    const before = this.#counter;
    const counter = control & 15;
    this.#counter = counter;
    const begins = ((bytes[at + 1] ?? 0) & 0x40) !== 0;
    if (begins) {
      // The same packet may be sent twice.
      return before === counter && this.#isRepeated(bytes, at) ? 'ignored' : 'begins';
    }
    if (!this.#isOpen) return 'ignored';
    if (before !== undefined && counter !== ((before + 1) & 15)) {
      if (before === counter) return 'ignored';
      const isAnnounced =
        (control & 0x20) !== 0 && (bytes[at + 4] ?? 0) > 0 && ((bytes[at + 5] ?? 0) & 0x80) !== 0;
      if (!isAnnounced) return 'lost';
    }
    this.#payloadBytes += TS_PACKET_BYTES - payloadStart(bytes, at);
    return 'continues';
  }

  /**
   * Where the packets end that do nothing but carry on the open PES packet, from `at` on; each is followed by another packet before `end`.
   * They are looked at by that, and only have to be appended. Most packets of a stream are such, so no more is asked than tells them.
   */
  lookAhead(bytes: Buffer, at: number, end: number): number {
    if (!this.#isOpen || this.#counter === undefined) return at;
    const payload = TS_PACKET_BYTES - 4;
    const packetsMax = Math.ceil((this.#expected - this.#payloadBytes) / payload) - 1;
    const to = Math.min(end - TS_PACKET_BYTES, at + packetsMax * TS_PACKET_BYTES);
    const high = this.listed.pid >> 8;
    const low = this.listed.pid & 0xff;
    let counter = this.#counter;
    let next = at;
    for (; next < to; next += TS_PACKET_BYTES) {
      const control = 0x10 | ((counter + 1) & 15);
      if (bytes[next + 1] !== high || bytes[next + 2] !== low || bytes[next + 3] !== control) break;
      if (bytes[next + TS_PACKET_BYTES] !== TS_SYNC) break;
      counter = control & 15;
    }
    this.#counter = counter;
    this.#payloadBytes += ((next - at) / TS_PACKET_BYTES) * payload;
    return next;
  }

  /** A PES packet begins with this packet. */
  begin(bytes: Buffer, at: number): void {
    const from = payloadStart(bytes, at);
    this.#bytes = 0;
    this.#isOpen = true;
    this.#payloadBytes = TS_PACKET_BYTES - from;
    const length = from + 6 <= TS_PACKET_BYTES ? bytes.readUInt16BE(at + from + 4) : UNBOUNDED;
    this.#expected = length === UNBOUNDED ? Number.POSITIVE_INFINITY : length + 6;
    const adaptation = ((bytes[at + 3] ?? 0) & 0x20) === 0 ? 0 : (bytes[at + 4] ?? 0);
    this.#isRandomAccess = adaptation > 0 && ((bytes[at + 5] ?? 0) & 0x40) !== 0;
  }

  /** Takes packets from `from` up to `to`, all of the open PES packet. Throws `segment.invalid` when it has no end. */
  append(bytes: Buffer, from: number, to: number): void {
    const wanted = this.#bytes + to - from;
    if (wanted > PES_BYTES_MAX)
      throw invalid(`one of its pictures has more than ${PES_BYTES_MAX} bytes`);
    if (wanted > this.#packets.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#packets.length));
      this.#packets.copy(larger, 0, 0, this.#bytes);
      this.#packets = larger;
    }
    bytes.copy(this.#packets, this.#bytes, from, to);
    this.#bytes = wanted;
  }

  /** All that its header promised is there. */
  get isComplete(): boolean {
    return this.#isOpen && this.#payloadBytes >= this.#expected;
  }

  /**
   * The open PES packet, which the next one follows; undefined when there is none, 'torn' when its end is missing. `isLast`: nothing
   * follows, so one without a length is whole only where its last packet is stuffed or `isWhole`: nothing was cut off.
   */
  close(isLast = false, isWhole = false): WholePes | 'torn' | undefined {
    if (!this.#isOpen) return undefined;
    this.#isOpen = false;
    const packets = this.#packets.subarray(0, this.#bytes);
    if (Number.isFinite(this.#expected)) {
      if (this.#payloadBytes < this.#expected) return 'torn';
    } else if (isLast && !isWhole && !endsStuffed(packets)) {
      return 'torn';
    }
    return { packets, payloadBytes: this.#payloadBytes, isRandomAccess: this.#isRandomAccess };
  }

  /** Lets go of the open PES packet; whether there was one. */
  tear(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }

  #isRepeated(bytes: Buffer, at: number): boolean {
    if (!this.#isOpen || this.#bytes !== TS_PACKET_BYTES) return false;
    return this.#packets.compare(bytes, at, at + TS_PACKET_BYTES, 0, TS_PACKET_BYTES) === 0;
  }
}
