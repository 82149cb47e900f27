import { lstat, mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KennelError, systemCodeOf } from '../core/errors.ts';
import { diskError } from '../ledger/diskError.ts';

/** Below a recording's directory. Media is in another place: nothing that was recorded is ever removed by what is here. */
const WORK = 'work';
/** `<attempt>-<run>`: only what has such a name was made here. */
const OWN_NAME = /^\d+-\d+$/;
/** Files that one look counts. A program that records has a handful; one that has more than that is judged by these. */
const FILES_LOOKED_AT_MAX = 1_000;

export interface SecretFile {
  readonly name: string;
  readonly content: string;
}

/**
 * Makes the place where one program may write, readable by nobody else, with its secret files. Rejects with `disk.full` or
 * `disk.failed`, or with `tool.failed` for a file that would be elsewhere.
 */
export async function makeWorkDirectory(
  recording: string,
  { attempt, run, files }: { attempt: number; run: number; files: readonly SecretFile[] },
): Promise<string> {
  const directory = workDirectoryOf(recording, { attempt, run });
  try {
    await mkdir(path.dirname(directory), { recursive: true, mode: 0o700 });
    await mkdir(directory, { mode: 0o700 });
    for (const { name, content } of files) {
      if (path.basename(name) !== name || name === '..' || name === '.') {
        throw new KennelError(
          'tool.failed',
          `a file of a program cannot be called ${JSON.stringify(name)}`,
        );
      }
      await writeFile(path.join(directory, name), content, { mode: 0o600, flag: 'wx' });
    }
  } catch (error) {
    throw error instanceof KennelError
      ? error
      : diskError(error, 'make the work directory', directory);
  }
  return directory;
}

/** Where the work directory of a run is. Absolute. */
export const workDirectoryOf = (
  recording: string,
  { attempt, run }: { attempt: number; run: number },
): string => path.resolve(recording, WORK, `${attempt}-${run}`);

/**
 * Removes the work directories of a recording and what is in them, the secret files first of all. What was not made here stays, and
 * links are not followed. Resolves with what was removed; should something stay behind, it is tried again by whoever comes next.
 */
export async function removeWorkDirectories(recording: string): Promise<readonly string[]> {
  const work = path.resolve(recording, WORK);
  const removed: string[] = [];
  try {
    if (!(await lstat(work)).isDirectory()) return removed;
    for (const name of await readdir(work)) {
      const directory = path.join(work, name);
      if (!OWN_NAME.test(name) || !(await lstat(directory)).isDirectory()) continue;
      await rm(directory, { recursive: true, force: true });
      removed.push(name);
    }
    await rmdir(work);
  } catch (error) {
    // Never made, or not empty, or in use still.
    if (systemCodeOf(error) === undefined) throw error;
  }
  return removed;
}

export interface DirectoryLook {
  readonly files: readonly string[];
  readonly bytes: number;
}

/** What is in a work directory, directories in it included. Files come and go while we look. */
export async function lookIntoDirectory(directory: string): Promise<DirectoryLook> {
  const files: string[] = [];
  let bytes = 0;
  try {
    const entries = await readdir(directory, { withFileTypes: true, recursive: true });
    for (const entry of entries.slice(0, FILES_LOOKED_AT_MAX)) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      files.push(path.relative(directory, file));
      bytes += await stat(file).then(
        ({ size }) => size,
        () => 0,
      );
    }
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
  }
  return { files, bytes };
}
