import type { ProgramNews } from '../recorderPlugin.ts';

/** Between two reports of progress, seconds: half of what a heartbeat is judged by at its most impatient. */
export const PROGRESS_PERIOD_S = 1;

/** On standard error, which Kennel reads anyway: standard output carries media. */
export const PROGRESS_ARGUMENTS: readonly string[] = [
  ...['-nostats', '-stats_period', String(PROGRESS_PERIOD_S), '-progress', 'pipe:2'],
];

/** Lines of `-progress`: a key and a value. */
const PROGRESS_LINE =
  /^(?:frame|fps|stream_\d+_\d+_\w+|bitrate|total_size|out_time\w*|dup_frames|drop_frames|speed|progress)=/;

/**
 * What a line of ffmpeg tells of its progress. Empty news for a line of `-progress` that holds nothing of interest, undefined for any
 * other line.
 */
export function ffmpegProgress(line: string): ProgramNews | undefined {
  // `out_time_ms` has held microseconds in all versions; `out_time_us` says so.
  const [, microseconds] = /^out_time_us=(\d+)\s*$/.exec(line) ?? [];
  if (microseconds !== undefined) return { mediaMs: Number(microseconds) / 1_000 };
  const [, hours, minutes, seconds] =
    /\btime=(\d+):(\d\d):(\d\d(?:\.\d+)?)\s+bitrate=/.exec(line) ?? [];
  if (hours === undefined) return PROGRESS_LINE.test(line) ? {} : undefined;
  return { mediaMs: ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000 };
}
