import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describeSet, type SetDescription, setDirectory } from '../origin/mediaSet.ts';

/** The set that all worlds play: a minute of H.264 and AAC, whose packets are all different. */
const SET = 'ts';

/** The fixture media as plain files, in a temporary directory of their own. */
export interface WorldMedia {
  readonly directory: string;
  readonly set: SetDescription;
  readonly lengthMs: number;
  /** The whole set in one file each. */
  readonly ts: string;
  readonly mp4: string;
  remove(): void;
}

/** Puts the set's segments together; nothing is encoded, so every packet keeps its hash. */
export async function worldMedia(ffmpeg: string): Promise<WorldMedia> {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-world-'));
  const set = describeSet(SET);
  const ts = join(directory, 'show.ts');
  const mp4 = join(directory, 'show.mp4');
  writeFileSync(
    ts,
    Buffer.concat(set.segments.map(({ file }) => readFileSync(join(setDirectory(SET), file)))),
  );
  const copy = ['-c', 'copy', '-bsf:a', 'aac_adtstoasc', '-movflags', '+faststart'];
  await execa(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', ts, ...copy, mp4]);
  return {
    directory,
    set,
    lengthMs: set.segments.length * set.segmentMs,
    ts,
    mp4,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
