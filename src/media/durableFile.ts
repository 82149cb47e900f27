import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';
import { diskError } from '../ledger/diskError.ts';
import { syncDirectory } from '../ledger/syncDirectory.ts';

/** What stands behind the name of a file that is not whole yet. */
export const UNFINISHED = '.tmp';

/** Puts a whole file in place: after a crash it is there with this content, or as it was before. Rejects with `disk.full` or `disk.failed`. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const unfinished = path + UNFINISHED;
  try {
    const handle = await open(unfinished, 'w', 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw diskError(error, 'write', path);
  }
  await syncDirectory(dirname(path));
}

/** Makes a file that another process wrote durable and gives it its name. */
export async function finishFile(unfinished: string, path: string): Promise<void> {
  try {
    const handle = await open(unfinished, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    throw diskError(error, 'write', path);
  }
  await syncDirectory(dirname(path));
}

/** The file's text, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw diskError(error, 'read', path);
  }
}

/** Bytes and SHA-256 (hex) of a file. */
export async function measureFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ bytes: number; checksum: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      signal?.throwIfAborted();
      // The stream has no encoding set, so that its chunks are buffers.
      const buffer = chunk as Buffer;
      hash.update(buffer);
      bytes += buffer.length;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw diskError(error, 'read', path);
  }
  return { bytes, checksum: hash.digest('hex') };
}

/** Read at once, bytes: larger reads save nothing more. */
export const READ_BYTES = 256 * 1024;
