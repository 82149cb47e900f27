import { KennelError, messageOf } from '../../core/errors.ts';
import { runProgram } from '../../process/runProgram.ts';
import type { MediaInfo } from '../mediabunny/protocol.ts';
import { entriesOf, isBroken, type Run } from '../runs.ts';
import { segmentBytes } from '../segmentBytes.ts';
import { countFrames } from './countFrames.ts';
import type { Made, MuxRequest } from './muxRequest.ts';

/** See `askMediabunny`. */
const NICENESS = 10;

/** A stuck ffmpeg must not hold a job for ever. It copies 300 MB a second; a hundredth of that is a very slow disk. */
const BYTES_PER_SECOND_MIN = 1024 * 1024;
const TIME_MIN_MS = 120_000;

/** How far timestamps must jump before the jump is closed, seconds: see `arguments`. */
const JUMP_CLOSED_SECONDS = 0.5;

/** Packed audio is read by the demuxer of its codec; ffmpeg is never left to guess what an untrusted file is. */
const PACKED_FORMATS: Readonly<Record<string, string>> = {
  aac: 'aac',
  mp3: 'mp3',
  ac3: 'ac3',
  eac3: 'eac3',
};

/** The demuxer for a run, or undefined when this run is nothing for ffmpeg, with the reason. */
export function ffmpegInput(
  run: Run,
  firsts: readonly MediaInfo[],
): { format: string } | { unfit: string } {
  if (run.companions.length > 0) return { unfit: 'separate renditions share one clock' };
  if (run.container === 'ts') {
    const identifiers = new Set(firsts.map(({ tracks }) => tracks.map(({ id }) => id).join(' ')));
    // Packets under an identifier that was not there at the beginning would be left out without a word.
    return identifiers.size > 1
      ? { unfit: 'packet identifiers change at a discontinuity' }
      : { format: 'mpegts' };
  }
  if (run.container === 'fmp4') {
    // Its demuxer takes decode times as they are: it closes no jump.
    return isBroken(run) ? { unfit: 'fragmented MP4 with jumps' } : { format: 'mov' };
  }
  const format = PACKED_FORMATS[firsts[0]?.tracks[0]?.codec ?? ''];
  return format === undefined ? { unfit: 'packed audio of an unknown codec' } : { format };
}

/**
 * Copies a run's packets into one MP4. The second output prints one line for each packet that was read, which counts the
 * source without reading it twice. Throws `mux.failed`, `disk.full`, or `disk.failed` when a segment is not as recorded.
 */
export async function muxWithFfmpeg(
  request: MuxRequest,
  tool: { readonly path: string; readonly version: string; readonly format: string },
): Promise<Made> {
  const { run, signal } = request;
  const frames = countFrames();
  const entries = entriesOf(run);
  const bytesTotal = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const timeMs = Math.max(TIME_MIN_MS, (bytesTotal / BYTES_PER_SECOND_MIN) * 1_000);
  const late = AbortSignal.timeout(Math.ceil(timeMs));
  const parameters = ffmpegArguments(request, tool.format);
  let bytesRead = 0;
  const result = await runProgram({
    file: tool.path,
    arguments: parameters,
    input: segmentBytes({ ...request, entries }, (count) => {
      bytesRead += count;
      request.onProgress?.({ bytesRead, bytesTotal });
    }),
    environment: request.environment,
    signal: AbortSignal.any([signal, late]),
    onStdout: (text) => frames.read(text),
    niceness: NICENESS,
  });
  signal.throwIfAborted();
  if (result.inputError !== undefined) throw inputFailure(result.inputError);
  const stderr = result.stderrTail.trim();
  if (late.aborted) throw failed(`not finished after ${Math.ceil(timeMs / 1_000)} s`);
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    throw new KennelError('disk.full', `no space for ${request.output}; free some space`, {
      retryable: true,
      details: { path: request.output },
    });
  }
  if (result.exitCode !== 0) {
    throw failed(
      `${result.startError ?? result.signal ?? `exit code ${result.exitCode}`}: ${stderr}`,
    );
  }
  // At this log level it prints only what it could not copy well.
  if (stderr !== '') throw failed(`exit code 0, but: ${stderr}`);
  return {
    muxer: 'ffmpeg',
    toolVersion: tool.version,
    command: [tool.path, ...parameters],
    source: frames.counts(),
  };
}

function ffmpegArguments(request: MuxRequest, format: string): string[] {
  const { run, output, title, createdAt } = request;
  // Also packets before the first key frame: nothing that was recorded is left out.
  const copyAll = ['-map', '0:v?', '-map', '0:a?', '-copyinkf', '-copypriorss', '1', '-c', 'copy'];
  const audios = (request.firsts[0]?.tracks ?? []).filter(({ kind }) => kind === 'audio');
  // Without it one damaged AAC frame ends the whole copy; for other codecs it is an error.
  const audioFilters = audios.flatMap(({ codec }, index) =>
    codec === 'aac' ? [`-bsf:a:${index}`, 'aac_adtstoasc'] : [],
  );
  // Only where segments are missing or clocks change: a camera that shows a new picture every few seconds jumps by itself.
  const closeJumps = isBroken(run) ? ['-dts_delta_threshold', String(JUMP_CLOSED_SECONDS)] : [];
  const metadata = [
    ...(title === undefined ? [] : ['-metadata', `title=${title}`]),
    ...(createdAt === undefined
      ? []
      : ['-metadata', `creation_time=${new Date(createdAt).toISOString()}`]),
  ];
  return [
    ...['-hide_banner', '-v', 'error', '-y'],
    ...[...closeJumps, '-protocol_whitelist', 'pipe', '-f', format, '-i', 'pipe:0'],
    ...[...copyAll, ...audioFilters, ...metadata, '-movflags', '+faststart', '-f', 'mp4', output],
    ...[...copyAll, '-f', 'framecrc', 'pipe:1'],
  ];
}

/** Mostly a KennelError of the segments' reader. */
const inputFailure = (error: unknown): Error =>
  error instanceof Error ? error : failed(`its input failed: ${messageOf(error)}`);

const failed = (why: string): KennelError =>
  new KennelError('mux.failed', `ffmpeg failed (${why})`);
