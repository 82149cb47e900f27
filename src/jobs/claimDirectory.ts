import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

/**
 * Makes the directory of a recording, for good: its being there says that the recording is this node's to go on with. It must
 * stand before the job's first move is committed, or a node that is killed in between leaves a job that nobody takes up. Where
 * none can be made, the recorder says so, and goes on once there is one.
 */
export async function claimDirectory(directory: string, log: Log): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await using parent = await open(dirname(directory), 'r');
    await parent.sync();
  } catch (error) {
    const fields = { directory, error: messageOf(error) };
    log('error', 'the directory of a recording could not be made', fields);
  }
}

/** Whether the recording is this node's. */
export const isClaimed = (directory: string): boolean => existsSync(directory);
