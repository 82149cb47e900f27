import { invalid } from '../../recording/files/container.ts';
import { TS_PACKET_BYTES, TS_SYNC } from '../../recording/files/tsWalk.ts';
import type { UnitReader, UnitSink } from './mediaUnit.ts';
import { TsProgramme } from './tsProgramme.ts';

/** How much is searched for the next packet after bytes were lost, before the output is taken for something else. */
const SYNC_SEARCH_BYTES_MAX = 1024 * 1024;
/** Packets in a row that prove where packets begin. */
const SYNC_PACKETS = 3;
/** Packets without any table before the output is refused: 2 MB, and tables are due every 100 ms. */
const TABLES_BYTES_MAX = 32 * 1024 * 1024;

/** Finds the packets of a transport stream, and finds them again where bytes are missing. */
export class TsReader implements UnitReader {
  readonly #programme: TsProgramme;
  #carry: Buffer = Buffer.alloc(0);
  #isAligned = true;
  #hasPackets = false;
  #searched = 0;
  #beforeTables = 0;

  /** `nearMs`: what was stored last, on the clock of earlier runs. */
  constructor(sink: UnitSink, nearMs?: number) {
    this.#programme = new TsProgramme(sink, nearMs);
  }

  write(bytes: Buffer): void {
    let rest = bytes;
    if (this.#carry.length > 0 && this.#isAligned) {
      // One byte more than a packet: only what the next packet follows is a packet.
      const lacking = TS_PACKET_BYTES + 1 - this.#carry.length;
      const start = Buffer.concat([this.#carry, rest.subarray(0, lacking)]);
      this.#carry = start;
      if (start.length <= TS_PACKET_BYTES) return;
      this.#packets(start);
      // The byte that was looked at ahead is the first of the next packet.
      if (this.#isInStep()) rest = rest.subarray(lacking - 1);
      else rest = Buffer.concat([this.#carry, rest.subarray(lacking)]);
    } else if (this.#carry.length > 0) {
      rest = Buffer.concat([this.#carry, rest]);
    }
    this.#packets(rest);
  }

  end(isWhole = false): void {
    const isAligned = this.#isAligned && this.#carry.length === TS_PACKET_BYTES;
    if (isAligned) this.#programme.packet(this.#carry, 0);
    this.#programme.flush();
    this.#programme.end(isAligned && isWhole);
    this.#carry = Buffer.alloc(0);
  }

  /** Whether it is known where the next packet begins, asked anew after each step. */
  #isInStep(): boolean {
    return this.#isAligned;
  }

  #packets(bytes: Buffer): void {
    let at = 0;
    for (;;) {
      if (!this.#isAligned) at = this.#search(bytes, at);
      if (!this.#isAligned) break;
      at = this.#walk(bytes, at);
      this.#programme.flush();
      if (this.#isInStep()) break;
    }
    this.#carry = Buffer.from(bytes.subarray(at));
  }

  /** Takes packets as long as each is followed by another; returns where it stopped. */
  #walk(bytes: Buffer, from: number): number {
    const programme = this.#programme;
    let at = from;
    while (at + TS_PACKET_BYTES < bytes.length) {
      if (bytes[at + TS_PACKET_BYTES] !== TS_SYNC) {
        if (!this.#hasPackets)
          throw invalid('its packets are not those of MPEG-TS, of 188 bytes', {
            looksLike: 'unknown',
          });
        this.#isAligned = false;
        programme.flush();
        programme.tear('bytes that are no packets are left out');
        return at + 1;
      }
      this.#hasPackets = true;
      programme.packet(bytes, at);
      at = programme.goOn(bytes, at + TS_PACKET_BYTES, bytes.length);
    }
    if (!programme.hasTables) {
      this.#beforeTables += at - from;
      if (this.#beforeTables > TABLES_BYTES_MAX)
        throw invalid('it has no programme tables', { container: 'ts' });
    }
    return at;
  }

  /** Where packets begin again; when that is not known yet, from where on it has to be searched. */
  #search(bytes: Buffer, from: number): number {
    const span = (SYNC_PACKETS - 1) * TS_PACKET_BYTES;
    let at = from;
    for (; at + span < bytes.length; at++) {
      if (bytes[at] !== TS_SYNC) continue;
      if (bytes[at + TS_PACKET_BYTES] !== TS_SYNC || bytes[at + span] !== TS_SYNC) continue;
      this.#isAligned = true;
      this.#searched = 0;
      return at;
    }
    this.#searched += at - from;
    if (this.#searched > SYNC_SEARCH_BYTES_MAX)
      throw invalid('it is no MPEG-TS any more', { container: 'ts' });
    return at;
  }
}
