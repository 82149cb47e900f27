import { createHash } from 'node:crypto';
import { ALL_FORMATS, EncodedPacketSink, Input, type InputTrack, MPEG_TS } from 'mediabunny';
import { messageOf } from '../../core/errors.ts';
import { concatenatedFiles } from './concatenatedFiles.ts';
import type {
  InputParts,
  InspectAnswer,
  InspectRequest,
  MediaInfo,
  MediaTrack,
} from './protocol.ts';
import { transportStreams } from './transportStreams.ts';

/** 64 bits: what is compared are the few configurations of one recording. */
const CONFIGURATION_DIGITS = 16;

/** Describes each input; one that cannot be read says so and costs the others nothing. */
export async function inspect(request: InspectRequest): Promise<InspectAnswer> {
  const inputs: InspectAnswer['inputs'] = [];
  for (const parts of request.inputs) {
    try {
      inputs.push({ info: await inspectOne(parts, request.count) });
    } catch (error) {
      inputs.push({ unreadable: messageOf(error) });
    }
  }
  return { inputs };
}

async function inspectOne(parts: InputParts, count: boolean): Promise<MediaInfo> {
  using input = new Input({ source: concatenatedFiles(parts), formats: ALL_FORMATS });
  const format = await input.getFormat();
  const tracks: MediaTrack[] = [];
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const track of await input.getTracks()) {
    const plain = await describe(track);
    if (plain === undefined) continue;
    // MPEG-TS has it among its pictures: it may change with any of them.
    const configuration = format === MPEG_TS ? undefined : await configurationOf(track);
    const described = { ...plain, ...(configuration !== undefined && { configuration }) };
    if (count) {
      const packets = await countPackets(track);
      start = Math.min(start, packets.start);
      end = Math.max(end, packets.end);
      tracks.push({
        ...described,
        packets: packets.count,
        ...(packets.count > 0 && { startSeconds: packets.start, endSeconds: packets.end }),
      });
    } else {
      tracks.push(described);
    }
  }
  const streams = format === MPEG_TS && count ? await transportStreams(parts) : [];
  const unread = streams.filter(({ id }) => !tracks.some((track) => track.id === id));
  const durationMs = end > start ? (end - start) * 1_000 : 0;
  return {
    format: format.name,
    tracks,
    ...(count && { durationMs }),
    ...(Number.isFinite(start) && { startSeconds: start }),
    ...(unread.length > 0 && { unread }),
  };
}

async function describe(track: InputTrack): Promise<MediaTrack | undefined> {
  const codec = await track.getCodec();
  const codecString = await track.getCodecParameterString();
  const common = { id: track.id, codec, codecString };
  if (track.isVideoTrack()) {
    const width = await track.getCodedWidth();
    const height = await track.getCodedHeight();
    return { kind: 'video', ...common, width, height };
  }
  if (track.isAudioTrack()) {
    const sampleRate = await track.getSampleRate();
    const channels = await track.getNumberOfChannels();
    return { kind: 'audio', ...common, sampleRate, channels };
  }
  return undefined;
}

async function configurationOf(track: InputTrack): Promise<string | undefined> {
  if (!track.isVideoTrack() && !track.isAudioTrack()) return undefined;
  const config = await track.getDecoderConfig();
  if (config === null) return undefined;
  const { codec, description } = config;
  const hash = createHash('sha256').update(codec);
  if (description !== undefined) hash.update(bytesOf(description));
  return hash.digest('hex').slice(0, CONFIGURATION_DIGITS);
}

const bytesOf = (source: ArrayBufferView | ArrayBufferLike): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);

async function countPackets(
  track: InputTrack,
): Promise<{ count: number; start: number; end: number }> {
  let count = 0;
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  const sink = new EncodedPacketSink(track);
  const how = { metadataOnly: true };
  // One by one: its iterator notes every packet of the last second, which takes longer the faster it is (16 s of
  // processor time in place of 3 s for four hours).
  for (
    let packet = await sink.getFirstPacket(how);
    packet !== null;
    packet = await sink.getNextPacket(packet, how)
  ) {
    count++;
    start = Math.min(start, packet.timestamp);
    end = Math.max(end, packet.timestamp + packet.duration);
  }
  return { count, start, end };
}
