import type { ChecksumAlgorithm } from '../../ledger/record.ts';
import type { MediaInfo } from '../mediabunny/protocol.ts';
import type { Run } from '../runs.ts';
import type { TrackCount } from './muxResult.ts';

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
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly title?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  readonly onProgress?: (progress: { bytesRead: number; bytesTotal: number }) => void;
}

/** What a muxer says about the file it made. */
export interface Made {
  readonly muxer: 'ffmpeg' | 'mediabunny';
  readonly toolVersion: string;
  readonly command?: readonly string[];
  /** Packets that it read from the segments. */
  readonly source: readonly TrackCount[];
}
