import { FilePathTarget, Mp4OutputFormat, Output } from 'mediabunny';
import { JUMP_CLOSED_SECONDS } from '../timing/outputMap.ts';
import { moveIndexToFront } from './moveIndexToFront.ts';
import { addWriters, type Writer } from './outputTracks.ts';
import type { StitchAnswer, Stitched, StitchRequest } from './protocol.ts';
import { SectionReader, type TrackReader } from './sectionReader.ts';

/**
 * Copies every packet of every section into one MP4. Sections follow each other without a jump; inside a section all tracks are
 * moved by the same amount, so that sound and picture stay together: where only one of them is missing it leaves a hole of the
 * right length. Throws what cannot be read or written.
 */
export async function stitch(request: StitchRequest): Promise<Omit<StitchAnswer, 'version'>> {
  const output = new Output({
    // The index goes to the end first: the number of packets is not known beforehand, and memory must not grow with the file.
    format: new Mp4OutputFormat({ fastStart: false }),
    target: new FilePathTarget(request.output),
  });
  if (request.tags !== undefined || request.createdAt !== undefined) {
    output.setMetadataTags({
      ...request.tags,
      ...(request.createdAt !== undefined && { date: new Date(request.createdAt) }),
    });
  }
  const stitched: Stitched[] = [];
  let writers: readonly Writer[] = [];
  try {
    writers = await addWriters(output, request);
    await output.start();
    let base = 0;
    for (const [index, section] of request.sections.entries()) {
      await using reader = new SectionReader(section, writers, request);
      base = await copySection(reader, { index, holes: section.holes, base, stitched });
    }
    await output.finalize();
  } catch (error) {
    await output.cancel();
    throw error;
  }
  await moveIndexToFront(request.output);
  return {
    tracks: writers.map(({ kind, codec, packets }) => ({ kind, codec, packets })),
    stitched,
  };
}

interface Copying {
  readonly index: number;
  readonly holes: boolean;
  /** Where the section begins in the output, seconds. */
  readonly base: number;
  readonly stitched: Stitched[];
}

/** Copies one section, notes where its times went, and returns where it ends in the output, seconds. */
async function copySection(section: SectionReader, copying: Copying): Promise<number> {
  const { index, holes, base, stitched } = copying;
  const readers = await section.readers();
  const first = Math.min(...readers.map((reader) => reader.earliest));
  if (!Number.isFinite(first)) return base;
  let shift = base - first;
  let end = base;
  let from = first;
  const note = (): void => {
    stitched.push({
      section: index,
      fromSeconds: from,
      toSeconds: end - shift,
      shiftSeconds: shift,
    });
  };
  for (;;) {
    const reader = nextReader(readers);
    const packet = reader?.take();
    if (reader === undefined || packet === undefined) {
      note();
      return end;
    }
    if (holes) {
      const start = Math.min(packet.timestamp, reader.earliest);
      if (start + shift > end + JUMP_CLOSED_SECONDS) {
        note();
        shift = end - start;
        from = start;
      }
    }
    const timestamp = packet.timestamp + shift;
    const duration = holes
      ? reader.withoutHole(packet.duration, JUMP_CLOSED_SECONDS)
      : packet.duration;
    end = Math.max(end, timestamp + duration);
    await reader.write(packet.clone({ timestamp, duration }));
  }
}

/** The reader whose next packet comes first, so that tracks stay interleaved. */
function nextReader(readers: readonly TrackReader[]): TrackReader | undefined {
  let found: TrackReader | undefined;
  let at = Number.POSITIVE_INFINITY;
  for (const reader of readers) {
    const { next } = reader;
    if (next !== undefined && next < at) {
      at = next;
      found = reader;
    }
  }
  return found;
}
