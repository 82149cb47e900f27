import { join } from 'node:path';
import { writeDurably } from '../durableFile.ts';
import type { Sidecar } from '../mux/muxResult.ts';
import { type OutputMap, outputTime } from '../timing/outputMap.ts';
import { joinCues, type TimedCue } from './joinCues.ts';
import type { PlacedText } from './placeTexts.ts';
import { formatWebVtt } from './webVtt.ts';

export interface WriteSubtitlesOptions {
  readonly outputDirectory: string;
  /** The finished file that they belong to. */
  readonly file: string;
  readonly map: OutputMap;
  readonly texts: readonly PlacedText[];
}

export type WrittenSubtitles = Omit<Sidecar, 'bytes' | 'checksum' | 'of' | 'muxed'>;

/** Writes one WebVTT file for each subtitle track, with the times of the finished file. Throws `disk.full` or `disk.failed`. */
export async function writeSubtitles(options: WriteSubtitlesOptions): Promise<WrittenSubtitles[]> {
  const { outputDirectory, file, map, texts } = options;
  const written: WrittenSubtitles[] = [];
  for (const placed of texts) {
    const { info } = placed.text;
    const name = sidecarName(file, info.track);
    const { cues, outside, unplaced } = cuesIn(map, placed);
    const joined = joinCues(cues);
    const blocks = new Set(placed.segments.flatMap(({ source }) => source.text.blocks));
    const text = formatWebVtt({ cues: joined, blocks: [...blocks] });
    await writeDurably(join(outputDirectory, name), text);
    written.push({
      file: name,
      track: info.track,
      ...(info.language !== undefined && { language: info.language }),
      ...(info.name !== undefined && { name: info.name }),
      cues: joined.length,
      segments: placed.segments.length,
      outside,
      unplaced,
    });
  }
  return written;
}

/**
 * `run-1.mp4` and `subtitles-de` make `run-1.de.vtt`: players take the language from there. Other names of tracks than Kennel's own
 * keep apart too.
 */
const sidecarName = (file: string, track: string): string => {
  const label = track
    .replace(/^subtitles-/, '')
    .replaceAll(/[^a-zA-Z0-9-]/g, (sign) => `_${sign.codePointAt(0)?.toString(16)}_`);
  return `${file.replace(/\.\w+$/, '')}.${label}.vtt`;
};

function cuesIn(
  map: OutputMap,
  { segments }: PlacedText,
): { cues: TimedCue[]; outside: number; unplaced: number } {
  const cues: TimedCue[] = [];
  let outside = 0;
  let unplaced = 0;
  for (const [number, segment] of segments.entries()) {
    unplaced += segment.unplaced;
    for (const cue of segment.cues) {
      const start = outputTime(map, segment.section, cue.startSeconds);
      const end = outputTime(map, segment.section, cue.endSeconds);
      if (start === undefined || end === undefined || end <= Math.max(0, start)) {
        outside++;
        continue;
      }
      cues.push({ ...cue, startSeconds: Math.max(0, start), endSeconds: end, segment: number });
    }
  }
  return { cues, outside, unplaced };
}
