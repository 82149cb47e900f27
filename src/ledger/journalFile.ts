import fs, { constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { systemCodeOf } from '../core/errors.ts';
import { syncDirectory } from './syncDirectory.ts';

export const JOURNAL_FILE = 'journal.ndjson';

const open = promisify(fs.open);
const close = promisify(fs.close);
const read = promisify(fs.read);
const write = promisify(fs.write);
const datasync = promisify(fs.fdatasync);
const truncate = promisify(fs.ftruncate);

/** The few things a journal asks of its file. The simulator has its own. Each rejects with the system's error. */
export interface JournalFile {
  readonly path: string;
  size(): Promise<number>;
  /** Fills the buffer from a position on; resolves with the number of bytes read, 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Adds all the bytes at the end, or rejects with any part of them added. */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything appended, and the length, is on the disk. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a directory's journal. `append` makes what is missing; `read` rejects with ENOENT then. */
export type OpenJournalFile = (directory: string, mode: 'append' | 'read') => Promise<JournalFile>;

/** Opens the journal on the real disk; a new one is durable, with its directory, before this resolves. */
export const openJournalFile: OpenJournalFile = async (directory, mode) => {
  const path = join(directory, JOURNAL_FILE);
  if (mode === 'read') return nodeJournalFile(path, await open(path, 'r'));
  // O_APPEND: should two writers ever meet, whole lines follow each other and neither overwrites the other's.
  const flags = constants.O_RDWR | constants.O_APPEND;
  try {
    return nodeJournalFile(path, await open(path, flags));
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
  const firstMade = await mkdir(directory, { recursive: true });
  const descriptor = await open(path, flags | constants.O_CREAT, 0o644);
  try {
    await syncDirectory(directory);
    // The names of directories that were made just now stand in their parents.
    for (let made = directory; firstMade !== undefined; made = dirname(made)) {
      await syncDirectory(dirname(made));
      if (made === firstMade || made === dirname(made)) break;
    }
  } catch (error) {
    await close(descriptor);
    throw error;
  }
  return nodeJournalFile(path, descriptor);
};

const nodeJournalFile = (path: string, descriptor: number): JournalFile => ({
  path,
  // The system has it in memory: asking another thread costs a hundred times what it takes.
  size: async () => fs.fstatSync(descriptor).size,
  read: async (buffer, position) =>
    (await read(descriptor, buffer, 0, buffer.byteLength, position)).bytesRead,
  append: async (bytes) => {
    // A write may be short, and says why only at the next one.
    for (let done = 0; done < bytes.byteLength; ) {
      done += (await write(descriptor, bytes, done, bytes.byteLength - done)).bytesWritten;
    }
  },
  sync: async () => await datasync(descriptor),
  truncate: async (bytes) => await truncate(descriptor, bytes),
  close: async () => await close(descriptor),
});
