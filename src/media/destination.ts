import { basename, dirname, extname, resolve } from 'node:path';
import { z } from 'zod';
import { shortId } from '../core/ids.ts';

/** What finishing asks of the place where recordings go; every storage provider has it. */
export interface Destination {
  put(
    key: string,
    source: { readonly file: string } | { readonly bytes: Uint8Array },
    options?: {
      readonly ifAbsent?: boolean;
      readonly contentType?: string;
      readonly signal?: AbortSignal;
    },
  ): Promise<{ readonly bytes: number; readonly checksum: string }>;
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  head(key: string): Promise<{ readonly bytes: number } | undefined>;
  delete(keys: readonly string[]): Promise<void>;
}

/** Endings that people give to the file they want. What comes out is always MP4, whatever was asked. */
const MEDIA_ENDINGS = new Set(
  ['mp4', 'm4a', 'm4v', 'mkv', 'mov', 'ts', 'webm', 'flv', 'aac', 'mp3'].map((end) => `.${end}`),
);

/**
 * Where a job's output goes: the directory that is the store's root, and the name that every key begins with. An output
 * with a slash behind is a directory: then the name tells when the recording began and which job it was. `ending`: the one that
 * was asked for, without its dot.
 */
export function placeOf(
  output: string,
  job: { readonly id: string; readonly startedAt?: number | undefined },
): { root: string; name: string; ending?: string } {
  if (output.endsWith('/')) {
    const began =
      job.startedAt === undefined
        ? ''
        : `${new Date(job.startedAt)
            .toISOString()
            .replace(/\.\d+Z$/, 'Z')
            .replaceAll(/[-:]/g, '')}-`;
    return { root: resolve(output), name: `${began}${shortId(job.id)}` };
  }
  const ending = extname(output).toLowerCase();
  const name = basename(output);
  const root = resolve(dirname(output));
  if (!MEDIA_ENDINGS.has(ending)) return { root, name };
  return { root, name: name.slice(0, -ending.length), ending: ending.slice(1) };
}

/** `film`, `film (2)`, `film (3)`, … */
export const nameForTry = (name: string, nth: number): string =>
  nth === 1 ? name : `${name} (${nth})`;

/**
 * The key of each local file: `name.mp4`, then `name-2.mp4` for the next run, `name.de.vtt` beside it, `name.jpg`,
 * `name.sprite.jpg`, and `name.manifest.json`.
 */
export function keyFor(name: string, file: string): string {
  const run = /^run-(\d+)((?:\.[\w-]+)+)$/.exec(file);
  if (run !== null) return `${name}${run[1] === '1' ? '' : `-${run[1]}`}${run[2] ?? ''}`;
  if (file === 'poster.jpg') return `${name}.jpg`;
  return `${name}.${file}`;
}

/** The local note of which names at the destination are this job's. Written before the first put under a name. */
export const claimSchema = z.object({
  v: z.literal(1),
  root: z.string(),
  name: z.string(),
  /** Content (SHA-256) that this job has put, or was about to put, under each key. */
  ours: z.record(z.string(), z.array(z.string())),
});
export type Claim = z.infer<typeof claimSchema>;
