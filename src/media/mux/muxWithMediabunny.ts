import { join } from 'node:path';
import { KennelError, messageOf } from '../../core/errors.ts';
import { askStitch } from '../mediabunny/askMediabunny.ts';
import type { InputParts, StitchTimeline } from '../mediabunny/protocol.ts';
import { entriesOf, type Run, type Timeline } from '../runs.ts';
import { checkSegments } from '../segmentBytes.ts';
import type { Made, MuxRequest } from './muxRequest.ts';

/**
 * Copies a run's packets into one MP4 in a child process, timeline by timeline. Throws `mux.failed`, `disk.full`, or
 * `disk.failed` when a segment is not as recorded.
 */
export async function muxWithMediabunny(request: MuxRequest): Promise<Made> {
  const { run, directory, output, title, createdAt, environment, signal } = request;
  // The child reads the files where it likes, so they are checked beforehand: a thirtieth of the cost of what follows.
  const entries = [run, ...run.companions].flatMap(entriesOf);
  await checkSegments({ directory, entries, checksums: request.checksums }, signal);
  try {
    const answer = await askStitch(
      {
        output,
        timelines: timelinesOf(run, directory),
        ...(title !== undefined && { title }),
        ...(createdAt !== undefined && { createdAt }),
      },
      { environment, signal },
    );
    return {
      muxer: 'mediabunny',
      toolVersion: answer.version,
      source: answer.tracks.map(({ kind, packets }) => ({ kind, packets })),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!messageOf(error).includes('ENOSPC')) throw error;
    throw new KennelError('disk.full', `no space for ${output}; free some space`, {
      cause: error,
      retryable: true,
      details: { path: output },
    });
  }
}

function timelinesOf(run: Run, directory: string): StitchTimeline[] {
  const partsOf = ({ init }: Run, files: readonly string[]): InputParts =>
    [...(init === undefined ? [] : [init.file]), ...files].map((file) => join(directory, file));
  const filesOf = (timeline: Timeline | undefined): string[] =>
    timeline?.segments.map(({ file }) => file) ?? [];
  if (run.container === 'packed') {
    // Each of these segments is a file with a header of its own.
    return run.timelines.flatMap((timeline) =>
      filesOf(timeline).map((file) => ({ inputs: [partsOf(run, [file])], holes: false })),
    );
  }
  return run.timelines.map((timeline, index) => {
    const rest = run.companions.map((companion) => ({
      companion,
      timeline: companion.timelines[index],
    }));
    return {
      inputs: [
        partsOf(run, filesOf(timeline)),
        ...rest.map(({ companion, timeline: other }) => partsOf(companion, filesOf(other))),
      ],
      holes: timeline.holes > 0 || rest.some(({ timeline: other }) => (other?.holes ?? 0) > 0),
    };
  });
}
