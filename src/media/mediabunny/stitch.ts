import {
  ALL_FORMATS,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathTarget,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import { concatenatedFiles } from './concatenatedFiles.ts';
import type { StitchAnswer, StitchRequest, StitchTimeline } from './protocol.ts';

/**
 * Pictures looked at before the earliest is known: a picture may be stored before others that are shown earlier, and
 * H.264 and HEVC reorder at most 16.
 */
const REORDERED_PICTURES_MAX = 16;

/** A jump of all tracks by more than this, where segments are missing, is closed, seconds. */
const JUMP_CLOSED_SECONDS = 0.5;

/** One track of one timeline: its packets in decode order. */
interface Reader {
  /** Packets read ahead; the first is next. */
  readonly ahead: EncodedPacket[];
  readonly packets: AsyncGenerator<EncodedPacket, void, unknown>;
  readonly write: (packet: EncodedPacket) => Promise<void>;
  /** How long the last packet lasted that did not stand before a hole. */
  usualSeconds?: number;
}

/** One track of the output. */
type Writer =
  | { kind: 'video'; codec: string; packets: number; source: EncodedVideoPacketSource }
  | { kind: 'audio'; codec: string; packets: number; source: EncodedAudioPacketSource };

/**
 * Copies every packet of every timeline into one MP4. Timelines follow each other without a jump; inside a timeline all
 * tracks are moved by the same amount, so that sound and picture stay together. Throws what cannot be read or written.
 */
export async function stitch(request: StitchRequest): Promise<Omit<StitchAnswer, 'version'>> {
  const output = new Output({
    // The index goes to the end: the number of packets is not known beforehand, and memory must not grow with the file.
    format: new Mp4OutputFormat({ fastStart: false }),
    target: new FilePathTarget(request.output),
  });
  if (request.title !== undefined || request.createdAt !== undefined) {
    output.setMetadataTags({
      ...(request.title !== undefined && { title: request.title }),
      ...(request.createdAt !== undefined && { date: new Date(request.createdAt) }),
    });
  }
  const writers: Writer[] = [];
  let base = 0;
  try {
    for (const timeline of request.timelines) {
      const inputs = timeline.inputs.map(
        (parts) => new Input({ source: concatenatedFiles(parts), formats: ALL_FORMATS }),
      );
      try {
        const tracks = await tracksOf(inputs);
        if (writers.length === 0) {
          for (const track of tracks) writers.push(await addTrack(output, track));
          await output.start();
        }
        base = await copyTimeline(timeline, await readersOf(tracks, writers), base);
      } finally {
        for (const input of inputs) input.dispose();
      }
    }
    await output.finalize();
  } catch (error) {
    await output.cancel();
    throw error;
  }
  return { tracks: writers.map(({ kind, codec, packets }) => ({ kind, codec, packets })) };
}

type Track = InputVideoTrack | InputAudioTrack;

/** Video first, as every player expects it. */
async function tracksOf(inputs: readonly Input[]): Promise<Track[]> {
  const videos: Track[] = [];
  const audios: Track[] = [];
  for (const input of inputs) {
    videos.push(...(await input.getVideoTracks()));
    audios.push(...(await input.getAudioTracks()));
  }
  return [...videos, ...audios];
}

async function addTrack(output: Output, track: Track): Promise<Writer> {
  if (track.isVideoTrack()) {
    const codec = await track.getCodec();
    if (codec === null) throw new Error(`the video codec of track ${track.id} is not known`);
    const source = new EncodedVideoPacketSource(codec);
    output.addVideoTrack(source);
    return { kind: 'video', codec, packets: 0, source };
  }
  const codec = await track.getCodec();
  if (codec === null) throw new Error(`the audio codec of track ${track.id} is not known`);
  const source = new EncodedAudioPacketSource(codec);
  output.addAudioTrack(source);
  return { kind: 'audio', codec, packets: 0, source };
}

async function readersOf(tracks: readonly Track[], writers: readonly Writer[]): Promise<Reader[]> {
  if (tracks.length !== writers.length) {
    throw new Error(`a timeline has ${tracks.length} tracks, the first had ${writers.length}`);
  }
  const readers: Reader[] = [];
  for (const [index, track] of tracks.entries()) {
    const writer = writers[index];
    if (writer === undefined || writer.codec !== (await track.getCodec())) {
      throw new Error(`track ${index + 1} changes its codec`);
    }
    readers.push({
      ahead: [],
      packets: new EncodedPacketSink(track).packets(),
      write: await writeFunction(track, writer),
    });
  }
  return readers;
}

async function writeFunction(
  track: Track,
  writer: Writer,
): Promise<(packet: EncodedPacket) => Promise<void>> {
  if (writer.kind === 'video' && track.isVideoTrack()) {
    const decoderConfig = await track.getDecoderConfig();
    const meta = decoderConfig === null ? undefined : { decoderConfig };
    return async (packet) => {
      await writer.source.add(packet, meta);
      writer.packets++;
    };
  }
  if (writer.kind === 'audio' && track.isAudioTrack()) {
    const decoderConfig = await track.getDecoderConfig();
    const meta = decoderConfig === null ? undefined : { decoderConfig };
    return async (packet) => {
      await writer.source.add(packet, meta);
      writer.packets++;
    };
  }
  throw new Error('a timeline has its tracks in another order');
}

/** Copies one timeline so that it begins at `base`, and returns where it ends. Both are seconds. */
async function copyTimeline(
  timeline: StitchTimeline,
  readers: readonly Reader[],
  base: number,
): Promise<number> {
  for (const reader of readers) await readAhead(reader);
  const first = Math.min(...readers.map(earliest));
  let shift = Number.isFinite(first) ? base - first : 0;
  let end = base;
  for (;;) {
    const reader = nextReader(readers);
    const packet = reader?.ahead.shift();
    if (reader === undefined || packet === undefined) return end;
    if (timeline.holes) {
      const start = Math.min(packet.timestamp, earliest(reader));
      if (start + shift > end + JUMP_CLOSED_SECONDS) shift = end - start;
    }
    const timestamp = packet.timestamp + shift;
    const duration = timeline.holes ? durationOf(packet, reader) : packet.duration;
    end = Math.max(end, timestamp + duration);
    await reader.write(packet.clone({ timestamp, duration }));
    await readAhead(reader);
  }
}

/**
 * MPEG-TS has no durations: a packet is said to last until the next one, which before a hole is the whole hole. There the
 * duration of the packet before it is taken.
 */
function durationOf(packet: EncodedPacket, reader: Reader): number {
  if (packet.duration <= JUMP_CLOSED_SECONDS) reader.usualSeconds = packet.duration;
  return Math.min(packet.duration, reader.usualSeconds ?? packet.duration);
}

async function readAhead(reader: Reader): Promise<void> {
  while (reader.ahead.length < REORDERED_PICTURES_MAX) {
    const { value } = await reader.packets.next();
    if (value === undefined) return;
    reader.ahead.push(value);
  }
}

const earliest = (reader: Reader): number =>
  Math.min(...reader.ahead.map((packet) => packet.timestamp));

/** The reader whose next packet comes first, so that tracks stay interleaved. */
function nextReader(readers: readonly Reader[]): Reader | undefined {
  let found: Reader | undefined;
  let at = Number.POSITIVE_INFINITY;
  for (const reader of readers) {
    const timestamp = reader.ahead[0]?.timestamp;
    if (timestamp !== undefined && timestamp < at) {
      at = timestamp;
      found = reader;
    }
  }
  return found;
}
