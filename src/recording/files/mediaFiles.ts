import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from '../../core/errors.ts';
import { diskError } from '../../ledger/diskError.ts';
import type { SegmentKey } from '../../ledger/record.ts';

const MEDIA = 'media';

/**
 * Where things are kept below a recording's directory; always with forward slashes, as the journal has them. From the second
 * attempt on its number is part of every name: a try that an earlier attempt had to leave behind, because the disk held it up, may
 * still write or remove its file, and must not find anybody else's.
 */
export const probeFile = (track: string, attempt: number): string =>
  `${MEDIA}/${track}/probe${mark(attempt)}.tmp`;
export const initFile = (track: string, init: number, attempt: number): string =>
  `${MEDIA}/${track}/init-${init}${mark(attempt)}.mp4`;

/** Where an initialisation section is downloaded to before it has a number. */
export const initPart = (track: string, download: number, attempt: number): string =>
  `${MEDIA}/${track}/init-${download}${mark(attempt)}.part`;
/** Where a segment from another than its first address is downloaded to. */
export const mirrorPart = (file: string, address: number): string => `${file}.${address}.part`;

/** `extension`: for people and players; the ledger's `container` comes from the content. */
export function segmentFile(
  { track, epoch, msn }: SegmentKey,
  extension: string,
  attempt: number,
): string {
  const digits = (value: number, length: number) => String(value).padStart(length, '0');
  const name = `${digits(msn, 10)}${mark(attempt)}.${extension}`;
  return `${MEDIA}/${track}/e${digits(epoch, 4)}/${name}`;
}

const mark = (attempt: number): string => (attempt > 1 ? `-${attempt}` : '');

/** Deletes a file; one that is not there is fine. Rejects with `disk.failed`. */
export async function removeFile(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (error) {
    throw diskError(error, 'remove', file);
  }
}

/** Deletes media files that nothing names, left half-written by an earlier life. Returns their paths. */
export async function removeUnnamed(root: string, named: ReadonlySet<string>): Promise<string[]> {
  const removed: string[] = [];
  for (const file of await mediaFiles(root)) {
    if (named.has(file)) continue;
    await removeFile(path.join(root, file));
    removed.push(file);
  }
  return removed;
}

/** All media files below a recording's directory; none when there is no such directory. */
export async function mediaFiles(root: string): Promise<string[]> {
  try {
    const entries = await readdir(path.join(root, MEDIA), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
      .map((file) => file.split(path.sep).join('/'));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw diskError(error, 'read the directory', path.join(root, MEDIA));
  }
}
