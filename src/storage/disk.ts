import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import {
  constants,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isKennelError, systemCodeOf } from '../core/errors.ts';
import { destinationError } from './destinationError.ts';
import {
  type ByteRange,
  checkKey,
  type ListedPage,
  type ObjectHead,
  type PutOptions,
  type StorageProvider,
  type StorageSource,
  type StoredObject,
} from './storageProvider.ts';

/** A file that is not whole yet: hidden, and with an ending that no key of ours has. */
const UNFINISHED = '.kennel-tmp';
/** What a writer that was killed left behind; a live one names its file much sooner, milliseconds. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1_000;
/** As many as S3 gives. */
const LIST_PAGE_KEYS = 1_000;
/** Read at once, bytes: larger reads save nothing more. */
const READ_BYTES = 256 * 1024;

export interface DiskOptions {
  /** Default: what the file system can do. Tests take the ways of poorer ones. */
  readonly hardLinks?: boolean;
}

/** Keeps objects as files below a directory, which is made with the first put. */
export function diskStorage(root: string, options: DiskOptions = {}): StorageProvider {
  return new DiskStorage(resolve(root), options.hardLinks ?? true);
}

class DiskStorage implements StorageProvider {
  readonly name = 'disk';
  readonly capabilities = { atomicIfAbsent: true, linksLocalFiles: true, presign: false };
  readonly #root: string;
  readonly #hardLinks: boolean;

  constructor(root: string, hardLinks: boolean) {
    this.#root = root;
    this.#hardLinks = hardLinks;
  }

  async put(key: string, source: StorageSource, options: PutOptions = {}): Promise<StoredObject> {
    const { ifAbsent = false, signal } = options;
    const path = this.#path(key);
    const unfinished = join(
      dirname(path),
      `.${basename(path)}.${randomUUID().slice(0, 8)}${UNFINISHED}`,
    );
    let begun = false;
    try {
      signal?.throwIfAborted();
      if (ifAbsent && (await headOf(path)) !== undefined) throw await exists(path);
      await makeDirectory(dirname(path));
      await removeLeftovers(path);
      begun = true;
      await this.#fill(unfinished, source);
      const stored = await measure(unfinished, signal);
      await sync(unfinished);
      signal?.throwIfAborted();
      if (ifAbsent) await this.#nameIfAbsent(unfinished, path);
      else await rename(unfinished, path);
      await sync(dirname(path));
      return stored;
    } catch (error) {
      signal?.throwIfAborted();
      throw isKennelError(error) ? error : destinationError(error, 'write', path);
    } finally {
      // Also when all went well: renaming one link of a file onto another link of it does nothing at all.
      if (begun) await removeIfThere(unfinished);
    }
  }

  async get(
    key: string,
    options: { readonly range?: ByteRange; readonly signal?: AbortSignal } = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.#path(key);
    const head = await this.head(key);
    if (head === undefined) return undefined;
    const { range, signal } = options;
    const from = Math.min(range?.from ?? 0, head.bytes);
    const to = Math.min(range?.to ?? head.bytes, head.bytes);
    return read(path, { from, to, ...(signal !== undefined && { signal }) });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const path = this.#path(key);
    try {
      return await headOf(path);
    } catch (error) {
      throw destinationError(error, 'look at', path);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const path of keys.map((key) => this.#path(key))) {
      try {
        if (await removeIfThere(path)) await sync(dirname(path));
      } catch (error) {
        throw destinationError(error, 'delete', path);
      }
    }
  }

  async list(prefix: string, cursor?: string): Promise<ListedPage> {
    const objects: { key: string; bytes: number }[] = [];
    try {
      for await (const key of walk(this.#root, '', { prefix, after: cursor ?? '' })) {
        if (objects.length === LIST_PAGE_KEYS) {
          const last = objects.at(-1)?.key;
          return { objects, ...(last !== undefined && { cursor: last }) };
        }
        const head = await headOf(join(this.#root, key));
        if (head !== undefined) objects.push({ key, bytes: head.bytes });
      }
    } catch (error) {
      throw destinationError(error, 'list', this.#root);
    }
    return { objects };
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }

  /** A hard link costs nothing and does not mind that the source is deleted later; a copy (or a reflink) does the rest. */
  async #fill(path: string, source: StorageSource): Promise<void> {
    if ('bytes' in source) {
      await writeFile(path, source.bytes, { flag: 'wx', mode: 0o644 });
      return;
    }
    if (this.#hardLinks) {
      try {
        await link(source.file, path);
        return;
      } catch (error) {
        if (!cannotLink(error)) throw error;
      }
    }
    await copyFile(source.file, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }

  async #nameIfAbsent(unfinished: string, path: string): Promise<void> {
    if (this.#hardLinks) {
      try {
        // Unlike a rename, a link never replaces.
        await link(unfinished, path);
        return;
      } catch (error) {
        if (!cannotLink(error)) throw error;
      }
    }
    // Without links the name is taken first, empty, and then replaced: a crash in between leaves an empty file.
    await writeFile(path, '', { flag: 'wx', mode: 0o644 });
    await rename(unfinished, path);
  }
}

/** Another file system, one without links, or one link too many. */
const cannotLink = (error: unknown): boolean =>
  ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(
    systemCodeOf(error) ?? '',
  );

const exists = async (path: string): Promise<Error> =>
  destinationError(
    Object.assign(new Error('it is there already'), { code: 'EEXIST' }),
    'write',
    path,
  );

async function headOf(path: string): Promise<ObjectHead | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { bytes: found.size, modifiedAt: found.mtimeMs } : undefined;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** New directories are durable, with their names, before this resolves. */
async function makeDirectory(directory: string): Promise<void> {
  const firstMade = await mkdir(directory, { recursive: true });
  if (firstMade === undefined) return;
  for (let made = directory; ; made = dirname(made)) {
    await sync(dirname(made));
    if (made === firstMade || made === dirname(made)) return;
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path);
  const start = `.${basename(path)}.`;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(start) || !name.endsWith(UNFINISHED)) continue;
    const head = await headOf(join(directory, name));
    // A link has the age of the file it was made from, which is finished: one that is old enough is nobody's.
    if (head !== undefined && Date.now() - head.modifiedAt > LEFTOVER_AGE_MS) {
      await removeIfThere(join(directory, name));
    }
  }
}

async function measure(path: string, signal: AbortSignal | undefined): Promise<StoredObject> {
  const hash = createHash('sha256');
  let bytes = 0;
  const whole = { from: 0, to: Number.POSITIVE_INFINITY, ...(signal !== undefined && { signal }) };
  for await (const chunk of read(path, whole)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, checksum: hash.digest('hex') };
}

async function* read(
  path: string,
  part: { readonly from: number; readonly to: number; readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { from, to, signal } = part;
  if (to <= from) return;
  const stream = createReadStream(path, {
    start: from,
    end: to - 1,
    highWaterMark: READ_BYTES,
    ...(signal !== undefined && { signal }),
  });
  // The stream has no encoding set, so that its chunks are buffers.
  for await (const chunk of stream) yield chunk as Buffer;
}

/** Keys below a directory in order by code unit, leaving out what cannot match. */
async function* walk(
  root: string,
  directory: string,
  wanted: { readonly prefix: string; readonly after: string },
): AsyncGenerator<string, void, undefined> {
  const { prefix, after } = wanted;
  for (const { key, isDirectory } of await entriesOf(root, directory)) {
    if (isDirectory) {
      const possible = key.startsWith(prefix) || prefix.startsWith(key);
      if (possible && (key > after || after.startsWith(key))) yield* walk(root, key, wanted);
    } else if (key.startsWith(prefix) && key > after) {
      yield key;
    }
  }
}

/** Files, and directories with a slash behind them, so that their order is that of the keys below them. */
async function entriesOf(
  root: string,
  directory: string,
): Promise<{ key: string; isDirectory: boolean }[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, directory), { withFileTypes: true });
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory() || (entry.isFile() && !entry.name.endsWith(UNFINISHED)))
    .map((entry) => {
      const isDirectory = entry.isDirectory();
      return { key: `${directory}${entry.name}${isDirectory ? '/' : ''}`, isDirectory };
    })
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}
