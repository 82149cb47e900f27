import { createHash } from 'node:crypto';
import type { MediaSet } from './mediaSet.ts';
import { elementaryStream, onlyStream } from './transportStream.ts';

/**
 * Sets that are made of an MPEG-TS set when they are loaded, so that the repository need not hold their media: the same packets
 * under the same hashes, position by position aligned with it. `video`, `audio`: MPEG-TS with one of the two only. `packed`:
 * packed audio, as RFC 8216 §3.4 has it. `subtitles`: WebVTT, one cue for each segment.
 */
export const DERIVATIONS = ['video', 'audio', 'packed', 'subtitles'] as const;
export type Derivation = (typeof DERIVATIONS)[number];

/** `ts-video` is the `video` of the set `ts`; undefined for a name that is no derived one. */
export function derivationOf(
  name: string,
): { readonly of: string; readonly how: Derivation } | undefined {
  const [of = '', word, ...rest] = name.split('-');
  const how = DERIVATIONS.find((one) => one === word);
  return how === undefined || rest.length > 0 ? undefined : { of, how };
}

export function deriveSet(set: MediaSet, how: Derivation): MediaSet {
  if (set.container !== 'ts') throw new Error(`${set.name} is no MPEG-TS set`);
  const bodies = set.bodies.map((body, position) => bodyOf(set, { body, position, how }));
  const hasVideo = how === 'video';
  const hasAudio = how === 'audio' || how === 'packed';
  const [videoCodec = '', audioCodec = ''] = set.codecs.split(',');
  const segments = set.segments.map((segment, position) => ({
    ...segment,
    bytes: bodies[position]?.length ?? 0,
    sha256: createHash('sha256')
      .update(bodies[position] ?? '')
      .digest('hex'),
    video: hasVideo ? segment.video : [],
    audio: hasAudio ? segment.audio : [],
  }));
  return {
    ...set,
    name: `${set.name}-${how}`,
    container: how === 'packed' ? 'packed' : how === 'subtitles' ? 'webvtt' : 'ts',
    codecs: hasVideo ? videoCodec : hasAudio ? audioCodec : 'wvtt',
    bandwidth: Math.max(...segments.map(({ bytes }) => (bytes * 8_000) / set.segmentMs)),
    segments,
    bodies,
  };
}

function bodyOf(
  set: MediaSet,
  { body, position, how }: { body: Uint8Array; position: number; how: Derivation },
): Uint8Array {
  if (how === 'video' || how === 'audio') return onlyStream(body, how);
  if (how === 'packed') {
    const { startTicks, bytes } = elementaryStream(body, 'audio');
    return Buffer.concat([timestampTag(startTicks), bytes]);
  }
  const { startTicks } = elementaryStream(set.bodies[0] ?? body, 'video');
  const from = (position * set.segmentMs) / 1_000;
  return Buffer.from(cueText(startTicks, { from, to: from + set.segmentMs / 1_000 }));
}

/** An ID3v2.4 tag with the one frame that says at which tick of 90 kHz the audio begins. */
function timestampTag(ticks: number): Buffer {
  const owner = Buffer.from('com.apple.streaming.transportStreamTimestamp\0');
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(BigInt(ticks));
  const data = Buffer.concat([owner, value]);
  // Sizes are below 128, so that they need no care for the highest bit of their bytes.
  const frame = Buffer.from([...Buffer.from('PRIV'), 0, 0, 0, data.length, 0, 0]);
  const bytes = frame.length + data.length;
  return Buffer.concat([
    Buffer.from([...Buffer.from('ID3'), 4, 0, 0, 0, 0, 0, bytes]),
    frame,
    data,
  ]);
}

/** The words of the cue of a segment: what a recording's subtitles are looked through for. */
export const cueOf = (position: number): string => `second ${position}`;

function cueText(startTicks: number, { from, to }: { from: number; to: number }): string {
  const at = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(11, 23);
  return [
    'WEBVTT',
    `X-TIMESTAMP-MAP=MPEGTS:${startTicks},LOCAL:00:00:00.000`,
    '',
    `${at(from)} --> ${at(to)}`,
    cueOf(from),
    '',
  ].join('\n');
}
