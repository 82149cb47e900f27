import { open } from 'node:fs/promises';
import { diskError } from './diskError.ts';

/**
 * Makes the names in a directory durable: a new file whose content was synced can still vanish with a power cut until its
 * directory is synced too. Rejects with `disk.full` or `disk.failed`.
 */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw diskError(error, 'sync the directory', directory);
  }
}
