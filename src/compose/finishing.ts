import { hostname } from 'node:os';
import { join } from 'node:path';
import { version } from '../cli/version.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../core/log.ts';
import { recordingDirectory } from '../jobs/recordings.ts';
import { readReceipt } from '../media/receipt.ts';
import { diskStorage } from '../storage/disk.ts';

/** What makes files of segments and brings them to their place. Loaded when the first recording ends. */
export async function finishing(config: Config, log: Log) {
  const { ffmpeg: given, searchPath, dataDir } = config;
  const { findFfmpeg } = await import('../media/findFfmpeg.ts');
  const { finishRecording } = await import('../media/finishRecording.ts');
  const ffmpeg = await findFfmpeg({ searchPath, ...(given !== undefined && { given }) });
  return finishRecording({
    directoryOf: (jobId) => recordingDirectory(dataDir, jobId),
    storageFor: diskStorage,
    ...(ffmpeg && { ffmpeg }),
    kennel: version(),
    node: hostname(),
    log: (message, fields) => log('info', message, fields),
  });
}

/** Where a finished job's files are, absolute, the manifest last. */
export async function storedFiles(directory: string): Promise<readonly string[]> {
  const { FINISH_DIRECTORY } = await import('../media/finishRecording.ts');
  const receipt = await readReceipt(join(directory, FINISH_DIRECTORY));
  return receipt?.keys.map((key) => join(receipt.root, key)) ?? [];
}
