import { z } from 'zod';

/** What the mediabunny child is asked, as one JSON text on its standard input. Paths are absolute. */
export type MediabunnyRequest = InspectRequest | StitchRequest;

/** Parts of one input in the order of its bytes: an initialisation section, then segments; or one whole file. */
export type InputParts = readonly string[];

export interface InspectRequest {
  readonly ask: 'inspect';
  readonly inputs: readonly InputParts[];
  /** Also count packets and measure the duration, which reads the whole input unless it has an index. */
  readonly count: boolean;
}

export interface StitchRequest {
  readonly ask: 'stitch';
  readonly output: string;
  /** Put one after the other. */
  readonly timelines: readonly StitchTimeline[];
  readonly title?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
}

export interface StitchTimeline {
  /** Inputs that share one clock: the main rendition, then separate ones. */
  readonly inputs: readonly InputParts[];
  /** Segments are missing inside: where every track jumps forward the jump is closed. */
  readonly holes: boolean;
}

const trackSchema = z.object({
  kind: z.enum(['video', 'audio']),
  /** The packet identifier in MPEG-TS, the track number in MP4. */
  id: z.number(),
  /** Mediabunny's word: `avc`, `hevc`, `aac`, …; null for one it does not know. */
  codec: z.string().nullable(),
  /** As in RFC 6381: `avc1.4d400c`. */
  codecString: z.string().nullable(),
  width: z.number().exactOptional(),
  height: z.number().exactOptional(),
  /** Hertz. */
  sampleRate: z.number().exactOptional(),
  channels: z.number().exactOptional(),
  /** Present when counting was asked for. */
  packets: z.number().exactOptional(),
});
export type MediaTrack = z.infer<typeof trackSchema>;

const mediaInfoSchema = z.object({
  /** As mediabunny names it: `MPEG Transport Stream`, `MP4`, … */
  format: z.string(),
  /** From the first timestamp to the last end. Present when counting was asked for. */
  durationMs: z.number().exactOptional(),
  tracks: z.array(trackSchema),
});
export type MediaInfo = z.infer<typeof mediaInfoSchema>;

/** One answer for each input. */
export const inspectAnswerSchema = z.object({
  inputs: z.array(
    z.union([z.object({ info: mediaInfoSchema }), z.object({ unreadable: z.string() })]),
  ),
});
export type InspectAnswer = z.infer<typeof inspectAnswerSchema>;

/** Packets that were read from the source and handed to the muxer, track by track. */
export const stitchAnswerSchema = z.object({
  tracks: z.array(
    z.object({ kind: z.enum(['video', 'audio']), codec: z.string(), packets: z.number() }),
  ),
  version: z.string(),
});
export type StitchAnswer = z.infer<typeof stitchAnswerSchema>;
