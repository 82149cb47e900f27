import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finish, Job } from '../../../machines/ports.ts';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import type { Ffmpeg } from '../../../src/media/findFfmpeg.ts';
import { finishRecording } from '../../../src/media/finishRecording.ts';
import { type Manifest, manifestSchema } from '../../../src/media/manifest.ts';
import { diskStorage } from '../../../src/storage/disk.ts';
import { JOB_ID, STARTED_AT } from './recording.ts';

export interface FinishingOptions {
  readonly ffmpeg?: Ffmpeg;
  readonly token?: number;
  readonly kennel?: string;
  readonly before?: (step: string) => void;
}

/** Finishing of the recording in `<workplace>/recording`, into `<workplace>/films/`. */
export const finishingIn = (workplace: string, options: FinishingOptions = {}): Finish =>
  finishRecording({
    directoryOf: () => join(workplace, 'recording'),
    storageFor: (root) => diskStorage(root),
    kennel: options.kennel ?? '0.0.0-test',
    node: 'test',
    tokenOf: () => options.token ?? 1,
    log: () => undefined,
    ...(options.ffmpeg !== undefined && { ffmpeg: options.ffmpeg }),
    ...(options.before !== undefined && { before: options.before }),
  });

export function jobIn(
  workplace: string,
  changes: Partial<Omit<Job, 'spec'>> & { readonly spec?: Partial<JobSpec> } = {},
): Job {
  return {
    id: JOB_ID,
    state: 'muxing',
    attempt: 1,
    startedAt: STARTED_AT,
    ending: 'endlist',
    ...changes,
    spec: {
      url: 'https://user:secret@live.example/a/index.m3u8?token=secret',
      quality: ['best'],
      waitMs: 0,
      patienceMs: 60_000,
      output: join(workplace, 'films/film.mp4'),
      keepSegments: false,
      ...changes.spec,
    },
  };
}

/** Everything below a directory, files only, in order. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}

export const readManifestIn = async (workplace: string, name = 'film'): Promise<Manifest> =>
  manifestSchema.parse(
    JSON.parse(await readFile(join(workplace, `films/${name}.manifest.json`), 'utf8')),
  );
