import { z } from 'zod';
import type { FileTags } from '../fileTags.ts';

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
  /** What goes into the file side by side: the main rendition, then separate ones. */
  readonly renditions: readonly StitchRendition[];
  /** Put one after the other. */
  readonly sections: readonly StitchSection[];
  /** Pictures are passed over. */
  readonly withoutPictures: boolean;
  readonly tags?: FileTags;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
}

export interface StitchRendition {
  /** ISO 639-2/T: three letters. */
  readonly language?: string;
  readonly name?: string;
}

/** A stretch of time in which all parts share one clock. */
export interface StitchSection {
  /** Those of one rendition in order of time. */
  readonly parts: readonly StitchPart[];
  /** Something is missing inside: where every track jumps forward the jump is closed. */
  readonly holes: boolean;
}

export interface StitchPart {
  /** Index of its rendition. */
  readonly rendition: number;
  readonly files: InputParts;
  /** What must be added to its timestamps to have the section's clock, seconds. */
  readonly shiftSeconds: number;
}

const trackSchema = z.object({
  kind: z.enum(['video', 'audio']),
  /** The packet identifier in MPEG-TS, the track number in MP4. */
  id: z.number(),
  /** Mediabunny's word: `avc`, `hevc`, `aac`, …; null for one it does not know. */
  codec: z.string().nullable(),
  /** As in RFC 6381: `avc1.4d400c`. */
  codecString: z.string().nullable(),
  /** A hash of what its decoder must know before the first packet, in MP4 only. */
  configuration: z.string().exactOptional(),
  width: z.number().exactOptional(),
  height: z.number().exactOptional(),
  /** Hertz. */
  sampleRate: z.number().exactOptional(),
  channels: z.number().exactOptional(),
  /** Present when counting was asked for, as the two below. */
  packets: z.number().exactOptional(),
  /** First timestamp and last end, seconds. Absent when there is no packet. */
  startSeconds: z.number().exactOptional(),
  endSeconds: z.number().exactOptional(),
});
export type MediaTrack = z.infer<typeof trackSchema>;

const mediaInfoSchema = z.object({
  /** As mediabunny names it: `MPEG Transport Stream`, `MP4`, … */
  format: z.string(),
  /** From the first timestamp to the last end. Present when counting was asked for. */
  durationMs: z.number().exactOptional(),
  /** The first timestamp, seconds. Present when counting was asked for and there are packets. */
  startSeconds: z.number().exactOptional(),
  tracks: z.array(trackSchema),
  /** Streams of pictures and sound that are there and that nobody here can read. Absent when there are none. */
  unread: z
    .array(z.object({ kind: z.enum(['video', 'audio']), id: z.number(), type: z.string() }))
    .exactOptional(),
});
export type MediaInfo = z.infer<typeof mediaInfoSchema>;

/** One answer for each input. */
export const inspectAnswerSchema = z.object({
  inputs: z.array(
    z.union([z.object({ info: mediaInfoSchema }), z.object({ unreadable: z.string() })]),
  ),
});
export type InspectAnswer = z.infer<typeof inspectAnswerSchema>;

/** Where a stretch of a section went: times from `fromSeconds` to `toSeconds` on its clock were moved by `shiftSeconds`. */
const stitchedSchema = z.object({
  section: z.number(),
  fromSeconds: z.number(),
  toSeconds: z.number(),
  shiftSeconds: z.number(),
});
export type Stitched = z.infer<typeof stitchedSchema>;

/** Packets that were read from the source and handed to the muxer, in the order of the file's tracks. */
export const stitchAnswerSchema = z.object({
  tracks: z.array(
    z.object({ kind: z.enum(['video', 'audio']), codec: z.string(), packets: z.number() }),
  ),
  stitched: z.array(stitchedSchema),
  version: z.string(),
});
export type StitchAnswer = z.infer<typeof stitchAnswerSchema>;
