import type { ChecksumAlgorithm } from '../../ledger/record.ts';
import type { FileTags } from '../fileTags.ts';
import type { Run } from '../joinedRun.ts';
import type { MediaInfo } from '../mediabunny/protocol.ts';
import type { OutputMap } from '../timing/outputMap.ts';
import type { Raggedness } from '../timing/raggedness.ts';
import type { TrackCount } from './muxResult.ts';

/** A joined subtitle track, ready to be put into the file too. */
export interface SubtitleInput {
  /** WebVTT; absolute path. */
  readonly path: string;
  readonly language?: string;
  readonly name?: string;
}

/** One run to be put into one file. */
export interface MuxRequest {
  readonly run: Run;
  /** The recording's directory. */
  readonly directory: string;
  /** How its segments are hashed. */
  readonly checksums: ChecksumAlgorithm;
  /** Absolute path; overwritten. */
  readonly output: string;
  /** What the first segment of each timeline is; without tracks where it could not be read. */
  readonly firsts: readonly MediaInfo[];
  /** What the first segment of each companion is. */
  readonly companionFirsts: readonly MediaInfo[];
  readonly ragged: Raggedness;
  /** Subtitles were recorded: they need a file whose times are known exactly. */
  readonly needsExactTimes: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly tags?: FileTags;
  /** The pictures in the segments are left out. */
  readonly withoutPictures: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  readonly onProgress?: (progress: { bytesRead: number; bytesTotal: number }) => void;
  /** Makes the subtitles for a file with these times; empty when there are none for this run. */
  readonly subtitlesFor: (map: OutputMap) => Promise<readonly SubtitleInput[]>;
}

/** What a muxer says about the file it made. */
export interface Made {
  readonly muxer: 'ffmpeg' | 'mediabunny';
  readonly toolVersion: string;
  readonly command?: readonly string[];
  /** Packets that it read from the segments, in the order of the file's tracks. */
  readonly source: readonly TrackCount[];
  /** Where the sections' times are in the file. */
  readonly map: OutputMap;
}
