import { join } from 'node:path';
import { KennelError, messageOf } from '../../core/errors.ts';
import { entriesOf, type Part, type Run } from '../joinedRun.ts';
import { languageCode } from '../languageCode.ts';
import { askStitch } from '../mediabunny/askMediabunny.ts';
import type { StitchPart, StitchRendition, StitchSection } from '../mediabunny/protocol.ts';
import type { RenditionInfo } from '../renditions.ts';
import { checkSegments } from '../segmentBytes.ts';
import type { Made, MuxRequest } from './muxRequest.ts';

/**
 * Copies a run's packets into one MP4 in a child process, section by section. Throws `mux.failed`, `disk.full`, or
 * `disk.failed` when a segment is not as recorded.
 */
export async function muxWithMediabunny(request: MuxRequest): Promise<Made> {
  const { run, directory, output, tags, createdAt, environment, signal } = request;
  // The child reads the files where it likes, so they are checked beforehand: a thirtieth of the cost of what follows.
  const entries = entriesOf(run);
  await checkSegments({ directory, entries, checksums: request.checksums }, signal);
  const sections = run.sections.flatMap(({ parts }, index) =>
    isChain(run)
      ? chained(parts, directory, index)
      : [{ index, startSeconds: 0, stitch: sideBySide(parts, directory) }],
  );
  try {
    const answer = await askStitch(
      {
        output,
        renditions: [run.info, ...run.companions].map(renditionOf),
        sections: sections.map(({ stitch }) => stitch),
        withoutPictures: request.withoutPictures,
        ...(tags !== undefined && { tags }),
        ...(createdAt !== undefined && { createdAt }),
      },
      { environment, signal },
    );
    return {
      muxer: 'mediabunny',
      toolVersion: answer.version,
      source: answer.tracks.map(({ kind, packets }) => ({ kind, packets })),
      map: answer.stitched.map(({ section, fromSeconds, toSeconds, shiftSeconds }) => {
        const { index = 0, startSeconds = 0 } = sections[section] ?? {};
        return {
          section: index,
          fromSeconds: fromSeconds + startSeconds,
          toSeconds: toSeconds + startSeconds,
          shiftSeconds: shiftSeconds - startSeconds,
        };
      }),
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

function renditionOf({ language, name }: RenditionInfo): StitchRendition {
  const code = languageCode(language);
  return {
    ...(code !== undefined && { language: code }),
    ...(name !== undefined && { name }),
  };
}

interface Planned {
  /** Of the run's section it is made from. */
  readonly index: number;
  /** Where its zero is on that section's clock, seconds. */
  readonly startSeconds: number;
  readonly stitch: StitchSection;
}

/** Packed audio alone: each of its segments is a file that begins at zero, and they are put one behind the other. */
const isChain = (run: Run): boolean => run.container === 'packed' && run.companions.length === 0;

const chained = (parts: readonly Part[], directory: string, index: number): Planned[] =>
  parts.flatMap((part) =>
    part.timeline.segments.map(({ file }, nth) => ({
      index,
      startSeconds: part.startsSeconds[nth] ?? 0,
      stitch: {
        parts: [{ rendition: 0, files: [join(directory, file)], shiftSeconds: 0 }],
        holes: false,
      },
    })),
  );

function sideBySide(parts: readonly Part[], directory: string): StitchSection {
  const renditions = new Set(parts.map(({ rendition }) => rendition));
  const stitched = parts.flatMap((part): StitchPart[] => {
    const { rendition, init, shiftSeconds, timeline } = part;
    if (part.container === 'packed') {
      return timeline.segments.map(({ file }, index) => ({
        rendition,
        files: [join(directory, file)],
        shiftSeconds: part.startsSeconds[index] ?? 0,
      }));
    }
    const files = [
      ...(init === undefined ? [] : [init.file]),
      ...timeline.segments.map(({ file }) => file),
    ];
    return [{ rendition, files: files.map((file) => join(directory, file)), shiftSeconds }];
  });
  return {
    parts: stitched,
    holes: parts.length > renditions.size || parts.some(({ timeline }) => timeline.holes > 0),
  };
}
