import { type FileHandle, open, stat } from 'node:fs/promises';
import { CustomSource } from 'mediabunny';
import type { InputParts } from './protocol.ts';

/** Two tracks are read at places close to each other, so few files are in use at once. */
const OPEN_FILES_MAX = 8;

interface Part {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Several files as one input, without copying them together. */
export function concatenatedFiles(paths: InputParts): CustomSource {
  let layout: Promise<Part[]> | undefined;
  const handles = new Map<string, Promise<FileHandle>>();
  const parts = (): Promise<Part[]> => {
    layout ??= layOut(paths);
    return layout;
  };
  return new CustomSource({
    getSize: async () => (await parts()).at(-1)?.end ?? 0,
    read: async (start, end) => {
      const bytes = new Uint8Array(end - start);
      const all = await parts();
      for (let index = partAt(all, start), at = start; at < end; index++) {
        const part = all[index];
        if (part === undefined) throw new Error(`byte ${at} is behind the end of the input`);
        const upTo = Math.min(end, part.end);
        const target = bytes.subarray(at - start, upTo - start);
        await fill(await opened(handles, part.path), target, at - part.start);
        at = upTo;
      }
      return bytes;
    },
    dispose: async () => {
      for (const handle of handles.values()) await (await handle).close();
      handles.clear();
    },
    maxCacheSize: 8 * 1024 * 1024,
    prefetchProfile: 'fileSystem',
  });
}

async function layOut(paths: InputParts): Promise<Part[]> {
  const parts: Part[] = [];
  let start = 0;
  for (const path of paths) {
    const { size } = await stat(path);
    if (size > 0) parts.push({ path, start, end: start + size });
    start += size;
  }
  return parts;
}

/** Index of the part that holds a byte. */
function partAt(parts: readonly Part[], byte: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((parts[middle]?.end ?? 0) <= byte) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function opened(
  handles: Map<string, Promise<FileHandle>>,
  path: string,
): Promise<FileHandle> {
  const known = handles.get(path);
  if (known !== undefined) return await known;
  const opening = open(path, 'r');
  handles.set(path, opening);
  const [oldest] = handles;
  if (handles.size > OPEN_FILES_MAX && oldest !== undefined) {
    handles.delete(oldest[0]);
    // A read that still uses it holds its own reference: closing waits for it.
    await (await oldest[1]).close();
  }
  return await opening;
}

async function fill(handle: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new Error('a file became shorter while it was read');
    done += bytesRead;
  }
}
