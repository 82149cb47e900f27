import { TS_PACKET_BYTES } from '../../recording/files/tsWalk.ts';

const PIDS = 8_192;
const UNKNOWN = 15;

/** Continuity counters of what is stored: those of the packets do not fit any more where packets were left out or put in. */
export class TsContinuity {
  readonly #last = new Uint8Array(PIDS).fill(UNKNOWN);

  /** Gives the packets, in place, the counters that follow those before them. */
  number(packets: Buffer): void {
    const last = this.#last;
    let pid = -1;
    let counter = UNKNOWN;
    for (let at = 0; at < packets.length; at += TS_PACKET_BYTES) {
      const own = (((packets[at + 1] ?? 0) & 0x1f) << 8) | (packets[at + 2] ?? 0);
      if (own !== pid) {
        if (pid >= 0) last[pid] = counter;
        pid = own;
        counter = last[pid] ?? UNKNOWN;
      }
      const control = packets[at + 3] ?? 0;
      // Only packets with payload count.
      if ((control & 0x10) !== 0) counter = (counter + 1) & 15;
      packets[at + 3] = (control & 0xf0) | counter;
    }
    if (pid >= 0) last[pid] = counter;
  }

  /** Learns them from what is stored. */
  learn(packets: Buffer): void {
    for (let at = 0; at + TS_PACKET_BYTES <= packets.length; at += TS_PACKET_BYTES) {
      const pid = (((packets[at + 1] ?? 0) & 0x1f) << 8) | (packets[at + 2] ?? 0);
      this.#last[pid] = (packets[at + 3] ?? 0) & 15;
    }
  }
}
