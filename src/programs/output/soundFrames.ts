/** Where a frame of sound begins within the content of a PES packet, and how long it lasts. */
export interface SoundFrame {
  readonly at: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/** Samples/s by their index in an ADTS header (ISO 14496-3, table 1.18). */
const ADTS_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
  7_350,
];
/** kbit/s by their index, for layers II and III of MPEG-1, and for those of MPEG-2 (ISO 11172-3, 13818-3). */
const LAYER_2 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const LAYER_3 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOW_RATE = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const MPEG_RATES = [44_100, 48_000, 32_000];

/**
 * The frames that a PES packet holds. Undefined when they cannot be told, or do not fill it exactly (a frame may lie across two
 * packets): then the packet is taken as one.
 */
export function soundFrames(streamType: number, content: Buffer): SoundFrame[] | undefined {
  const read = streamType === 0x0f ? adts : streamType === 3 || streamType === 4 ? mpeg : undefined;
  if (read === undefined) return undefined;
  const frames: SoundFrame[] = [];
  for (let at = 0; at < content.length; ) {
    const frame = read(content, at);
    if (frame === undefined || frame.bytes === 0) return undefined;
    frames.push({ at, ...frame });
    at += frame.bytes;
    if (at > content.length) return undefined;
  }
  return frames.length === 0 ? undefined : frames;
}

type Read = (content: Buffer, at: number) => Omit<SoundFrame, 'at'> | undefined;

const adts: Read = (content, at) => {
  if (at + 7 > content.length || (content.readUInt16BE(at) & 0xfff6) !== 0xfff0) return undefined;
  const rate = ADTS_RATES[((content[at + 2] ?? 0) >> 2) & 15];
  if (rate === undefined) return undefined;
  const bytes = (content.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
  const blocks = 1 + ((content[at + 6] ?? 0) & 3);
  return bytes < 7 ? undefined : { bytes, durationMs: (1_024_000 * blocks) / rate };
};

const mpeg: Read = (content, at) => {
  if (at + 4 > content.length || (content.readUInt16BE(at) & 0xffe0) !== 0xffe0) return undefined;
  const [, second = 0, third = 0] = content.subarray(at, at + 3);
  const version = (second >> 3) & 3;
  const layer = 4 - ((second >> 1) & 3);
  const baseRate = MPEG_RATES[(third >> 2) & 3];
  if (version === 1 || (layer !== 2 && layer !== 3) || baseRate === undefined) return undefined;
  const isLow = version !== 3;
  const rate = baseRate / (version === 3 ? 1 : version === 2 ? 2 : 4);
  const kilobits = (isLow ? LOW_RATE : layer === 2 ? LAYER_2 : LAYER_3)[third >> 4] ?? 0;
  const samples = layer === 3 && isLow ? 576 : 1152;
  const padding = (third >> 1) & 1;
  const bytes =
    kilobits === 0 ? 0 : Math.floor(((samples / 8) * kilobits * 1_000) / rate) + padding;
  return { bytes, durationMs: (samples * 1_000) / rate };
};
