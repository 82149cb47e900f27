import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { destinationError } from './destinationError.ts';

/**
 * Makes the directory that a job's file will go to and writes a file there, since asking for permissions cannot tell of
 * full disks, quotas or read-only mounts. Before hours are recorded is the time to find that out.
 *
 * @param output as in `JobSpec.output`: a file, or a directory with a slash behind
 * @throws KennelError `destination.unwritable`, `disk.full`
 */
export async function assertWritable(output: string): Promise<void> {
  const directory = output.endsWith('/') ? resolve(output) : dirname(resolve(output));
  const trial = join(directory, `.kennel-trial-${crypto.randomUUID().slice(0, 8)}`);
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(trial, 'kennel', { flag: 'wx' });
    await unlink(trial);
  } catch (error) {
    throw destinationError(error, 'write to the output directory', directory);
  }
}
