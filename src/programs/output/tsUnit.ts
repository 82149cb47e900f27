import { TICKS_PER_MS, TIMESTAMP_MODULUS } from '../../recording/files/pesTimestamp.ts';
import { contentMark, MARKED_BYTES, markOf } from './contentMark.ts';
import { beginsAtKey, KEY_SEARCH_BYTES } from './keyFrames.ts';
import type { MediaFrame, MediaLayout, MediaUnit } from './mediaUnit.ts';
import { makePes, type PesHeader, pesHeader } from './pesHeader.ts';
import { type SoundFrame, soundFrames } from './soundFrames.ts';
import { firstPayload, firstPayloadIn, lastPayloadIn, packetise } from './tsPayload.ts';
import type { TsStream, WholePes } from './tsStream.ts';

/** Undoes the wrap of timestamps, every 26.5 hours: the nearest to the one before, whichever stream that was of. */
export class TsClock {
  #last: number | undefined;
  /** A stream that says where decoding can begin need not be searched for it. */
  saysRandomAccess = false;

  /** `nearMs`: what was stored last, so that a run that goes on is counted on. */
  constructor(nearMs: number | undefined) {
    this.#last = nearMs === undefined ? undefined : nearMs * TICKS_PER_MS;
  }

  /** Milliseconds. */
  read(ticks: number): number {
    const last = this.#last ?? ticks;
    const rounds = Math.round((last - ticks) / TIMESTAMP_MODULUS);
    this.#last = ticks + rounds * TIMESTAMP_MODULUS;
    return this.#last / TICKS_PER_MS;
  }
}

export interface PesContext {
  readonly stream: TsStream;
  readonly layout: MediaLayout;
  readonly clock: TsClock;
}

/** A PES packet as a unit. Undefined when no PES packet begins in these packets. */
export function tsUnit(pes: WholePes, context: PesContext): MediaUnit | undefined {
  const { stream, layout, clock } = context;
  const start = firstPayloadIn(pes.packets, stream.first);
  const header = pesHeader(start);
  if (header === undefined) return undefined;
  const startMs = header.dts === undefined ? undefined : clock.read(header.dts);
  if (stream.listed.kind === 'sound') return soundUnit(pes, header, { ...context, startMs });
  const frames: MediaFrame[] = [];
  if (startMs !== undefined) {
    const first = start.subarray(header.bytes, header.bytes + MARKED_BYTES);
    const last = lastPayloadIn(pes.packets, stream.last);
    frames.push({ startMs, hash: contentMark(pes.payloadBytes - header.bytes, first, last) });
  }
  const { key } = stream;
  const isKey =
    stream.listed.kind === 'video' && startMs !== undefined && isKeyPicture(pes, context);
  const streams = [{ key, frames }];
  return { layout, streams, isKey, bytes: pes.packets, without: undivided };
}

function isKeyPicture(pes: WholePes, { stream, clock }: PesContext): boolean {
  if (pes.isRandomAccess) clock.saysRandomAccess = true;
  if (clock.saysRandomAccess) return pes.isRandomAccess;
  return beginsAtKey(
    stream.listed.type,
    firstPayloadIn(pes.packets, stream.roomFor(KEY_SEARCH_BYTES)),
  );
}

function soundUnit(
  pes: WholePes,
  header: PesHeader,
  context: PesContext & { readonly startMs: number | undefined },
): MediaUnit {
  const { stream, layout, startMs } = context;
  const room = stream.roomFor(pes.payloadBytes);
  const content = firstPayloadIn(pes.packets, room).subarray(header.bytes);
  const found = soundFrames(stream.listed.type, content);
  const frames: MediaFrame[] = [];
  if (startMs !== undefined && found === undefined) frames.push({ startMs, hash: markOf(content) });
  else if (startMs !== undefined && found !== undefined) {
    let at = startMs;
    for (const frame of found) {
      const hash = markOf(content.subarray(frame.at, frame.at + frame.bytes));
      frames.push({ startMs: at, durationMs: frame.durationMs, hash });
      at += frame.durationMs;
    }
  }
  const unit: MediaUnit = {
    ...{ layout, streams: [{ key: stream.key, frames }], isKey: true, bytes: pes.packets },
    without(drops) {
      const dropped = drops.get(stream.key) ?? 0;
      const first = found?.[dropped];
      if (dropped === 0 || first === undefined) return this;
      const rest = frames.slice(dropped);
      const pts = ticksOf(rest[0]?.startMs ?? 0);
      const packets = packetise(
        stream.listed.pid,
        makePes(header.streamId, pts, contentFrom(this.bytes, header, first)),
      );
      return {
        ...this,
        streams: [{ key: stream.key, frames: rest }],
        bytes: packets,
        without: undivided,
      };
    },
  };
  return unit;
}

const contentFrom = (packets: Buffer, header: PesHeader, first: SoundFrame): Buffer =>
  firstPayload(packets, packets.length).subarray(header.bytes + first.at);

const ticksOf = (ms: number): number => {
  const ticks = Math.round(ms * TICKS_PER_MS) % TIMESTAMP_MODULUS;
  return ticks < 0 ? ticks + TIMESTAMP_MODULUS : ticks;
};

/** One picture, or what cannot be told apart, is stored whole or not at all. */
function undivided(this: MediaUnit): MediaUnit {
  return this;
}
