import { KennelError, messageOf } from '../../core/errors.ts';
import { runProgram } from '../../process/runProgram.ts';
import { entriesOf } from '../joinedRun.ts';
import { segmentBytes } from '../segmentBytes.ts';
import { reckonedMap } from '../timing/outputMap.ts';
import { countFrames } from './countFrames.ts';
import { ffmpegArguments } from './ffmpegArguments.ts';
import type { FfmpegPlan } from './ffmpegPlan.ts';
import type { Made, MuxRequest } from './muxRequest.ts';

/** See `askMediabunny`. */
const NICENESS = 10;

/** A stuck ffmpeg must not hold a job for ever. It copies 300 MB a second; a hundredth of that is a very slow disk. */
const BYTES_PER_SECOND_MIN = 1024 * 1024;
const TIME_MIN_MS = 120_000;

/**
 * Copies a run's packets into one MP4. The second output prints one line for each packet that was read, which counts the
 * source without reading it twice. Throws `mux.failed`, `disk.full`, or `disk.failed` when a segment is not as recorded.
 */
export async function muxWithFfmpeg(
  request: MuxRequest,
  tool: { readonly path: string; readonly version: string; readonly plan: FfmpegPlan },
): Promise<Made> {
  const { run, signal, directory, checksums } = request;
  const frames = countFrames();
  const bytesTotal = entriesOf(run).reduce((sum, { bytes }) => sum + bytes, 0);
  const timeMs = Math.max(TIME_MIN_MS, (bytesTotal / BYTES_PER_SECOND_MIN) * 1_000);
  const late = AbortSignal.timeout(Math.ceil(timeMs));
  const map = reckonedMap(run);
  const parameters = ffmpegArguments(request, tool.plan, await request.subtitlesFor(map));
  let bytesRead = 0;
  const inputs = tool.plan.inputs.map((_, rendition) =>
    segmentBytes({ directory, checksums, entries: entriesOf(run, rendition) }, (count) => {
      bytesRead += count;
      request.onProgress?.({ bytesRead, bytesTotal });
    }),
  );
  const [input, ...extraInputs] = inputs;
  const result = await runProgram({
    file: tool.path,
    arguments: parameters,
    ...(input !== undefined && { input }),
    extraInputs,
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
    map,
  };
}

/** Mostly a KennelError of the segments' reader. */
const inputFailure = (error: unknown): Error =>
  error instanceof Error ? error : failed(`its input failed: ${messageOf(error)}`);

const failed = (why: string): KennelError =>
  new KennelError('mux.failed', `ffmpeg failed (${why})`);
