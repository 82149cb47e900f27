import { type EncodedPacket, EncodedPacketSink, type Input } from 'mediabunny';
import {
  type MediaTrack,
  mediaTracksOf,
  openInput,
  type WantedTracks,
  type Writer,
} from './outputTracks.ts';
import type { StitchPart, StitchSection } from './protocol.ts';
import { wholePictures } from './wholePictures.ts';

/**
 * Pictures looked at before the earliest is known: a picture may be stored before others that are shown earlier, and
 * H.264 and HEVC reorder at most 16.
 */
const REORDERED_PICTURES_MAX = 16;

/** A part that begins before the one before it has ended is moved by up to so much: the frame that straddles two segments, seconds. */
const OVERLAP_MAX_SECONDS = 0.1;

interface OpenPart {
  readonly input: Input;
  readonly tracks: readonly MediaTrack[];
  /** Tracks that are still to be read. */
  readers: number;
}

/** Reads the tracks of one section, each part opened when it is reached and closed when all its tracks are read. */
export class SectionReader {
  readonly #section: StitchSection;
  readonly #writers: readonly Writer[];
  readonly #wanted: WantedTracks;
  readonly #open = new Map<StitchPart, Promise<OpenPart>>();
  readonly #readers: TrackReader[] = [];

  constructor(section: StitchSection, writers: readonly Writer[], wanted: WantedTracks) {
    this.#section = section;
    this.#wanted = wanted;
    this.#writers = writers;
  }

  /** One for each track of the output that has something in this section. */
  async readers(): Promise<readonly TrackReader[]> {
    for (const writer of this.#writers) {
      const parts = this.#section.parts.filter((part) => part.rendition === writer.rendition);
      if (parts.length === 0) continue;
      const reader = new TrackReader(writer, this.#packets(parts, writer));
      this.#readers.push(reader);
      await reader.fill();
    }
    return this.#readers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#open.values()) (await part.catch(() => undefined))?.input.dispose();
    this.#open.clear();
  }

  /** The packets of one track in decode order, with timestamps on the section's clock. */
  async *#packets(
    parts: readonly StitchPart[],
    writer: Writer,
  ): AsyncGenerator<SourcePacket, void, unknown> {
    let end = Number.NEGATIVE_INFINITY;
    for (const part of parts) {
      const open = await this.#opened(part);
      const track = trackFor(open.tracks, writer);
      if (track === undefined || (await track.getCodec()) !== writer.codec) {
        throw new Error(`${writer.kind} track ${writer.nth + 1} changes its codec`);
      }
      const meta = await metaOf(track);
      let shift: number | undefined;
      const packets = new EncodedPacketSink(track).packets();
      for await (const packet of writer.kind === 'video' ? wholePictures(packets) : packets) {
        shift ??= shiftFor(part, packet, end);
        const timestamp = packet.timestamp + shift;
        end = Math.max(end, timestamp + packet.duration);
        yield { packet: shift === 0 ? packet : packet.clone({ timestamp }), meta };
      }
      open.readers--;
      if (open.readers === 0) {
        open.input.dispose();
        this.#open.delete(part);
      }
    }
  }

  #opened(part: StitchPart): Promise<OpenPart> {
    let opening = this.#open.get(part);
    if (opening === undefined) {
      opening = this.#openPart(part);
      this.#open.set(part, opening);
    }
    return opening;
  }

  async #openPart(part: StitchPart): Promise<OpenPart> {
    const input = openInput(part.files);
    const tracks = await mediaTracksOf(input, this.#wanted);
    const readers = this.#writers.filter(({ rendition }) => rendition === part.rendition).length;
    if (tracks.length !== readers) {
      input.dispose();
      throw new Error(`a timeline has ${tracks.length} tracks, the first had ${readers}`);
    }
    return { input, tracks, readers };
  }
}

type Meta = { readonly decoderConfig: unknown } | undefined;

interface SourcePacket {
  readonly packet: EncodedPacket;
  readonly meta: Meta;
}

function trackFor(tracks: readonly MediaTrack[], { kind, nth }: Writer): MediaTrack | undefined {
  return tracks.filter((track) => (kind === 'video' ? track.isVideoTrack() : track.isAudioTrack()))[
    nth
  ];
}

async function metaOf(track: MediaTrack): Promise<Meta> {
  const decoderConfig = await track.getDecoderConfig();
  return decoderConfig === null ? undefined : { decoderConfig };
}

/** Timestamps must not go back inside a track. Throws when they would by more than segments overlap. */
function shiftFor(part: StitchPart, first: EncodedPacket, end: number): number {
  const overlap = end - (first.timestamp + part.shiftSeconds);
  if (overlap <= 0) return part.shiftSeconds;
  if (overlap > OVERLAP_MAX_SECONDS) {
    throw new Error(`timestamps go back by ${overlap.toFixed(3)} s where a playlist breaks`);
  }
  return part.shiftSeconds + overlap;
}

/** One track of a section on its way to one track of the output. */
export class TrackReader {
  readonly #writer: Writer;
  readonly #packets: AsyncGenerator<SourcePacket, void, unknown>;
  /** Packets read ahead, in decode order. */
  readonly #ahead: SourcePacket[] = [];
  /** How long the last packet lasted that did not stand before a hole. */
  #usualSeconds: number | undefined;
  #meta: Meta;

  constructor(writer: Writer, packets: AsyncGenerator<SourcePacket, void, unknown>) {
    this.#writer = writer;
    this.#packets = packets;
  }

  /** Timestamp of the packet that comes next; undefined at the end. */
  get next(): number | undefined {
    return this.#ahead[0]?.packet.timestamp;
  }

  /** The earliest of those that were read ahead. */
  get earliest(): number {
    return Math.min(...this.#ahead.map(({ packet }) => packet.timestamp));
  }

  async fill(): Promise<void> {
    while (this.#ahead.length < REORDERED_PICTURES_MAX) {
      const { value } = await this.#packets.next();
      if (value === undefined) return;
      this.#ahead.push(value);
    }
  }

  /** Takes the next packet; `write` is to follow. */
  take(): EncodedPacket | undefined {
    const taken = this.#ahead.shift();
    if (taken === undefined) return undefined;
    this.#meta = taken.meta;
    return taken.packet;
  }

  /**
   * MPEG-TS has no durations: a packet is said to last until the next one, which before a hole is the whole hole. There the
   * duration of the packet before it is taken.
   */
  withoutHole(duration: number, holeSeconds: number): number {
    if (duration <= holeSeconds) this.#usualSeconds = duration;
    return Math.min(duration, this.#usualSeconds ?? duration);
  }

  async write(packet: EncodedPacket): Promise<void> {
    const writer = this.#writer;
    // It came from a track of the writer's kind, whose configuration it is.
    if (writer.kind === 'video') {
      await writer.source.add(packet, this.#meta as EncodedVideoChunkMetadata | undefined);
    } else {
      await writer.source.add(packet, this.#meta as EncodedAudioChunkMetadata | undefined);
    }
    writer.packets++;
    await this.fill();
  }
}
