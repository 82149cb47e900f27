import fs from 'node:fs';
import { promisify } from 'node:util';
import { diskError } from './diskError.ts';

const open = promisify(fs.open);
const sync = promisify(fs.fsync);

/**
 * Makes the names in a directory durable: a new file whose content was synced can still vanish with a power cut until its
 * directory is synced too. Rejects with `disk.full` or `disk.failed`.
 */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const descriptor = await open(directory, 'r');
    try {
      await sync(descriptor);
    } finally {
      // Nothing is written back by this close: another thread for it costs ten times what it takes.
      fs.closeSync(descriptor);
    }
  } catch (error) {
    throw diskError(error, 'sync the directory', directory);
  }
}
