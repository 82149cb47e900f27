import { createHash } from 'node:crypto';
import type { JobSpec } from '../../machines/vocabulary.ts';

/**
 * What a job records, as far as two jobs can be seen to record the same: the link and the wishes, whatever way to the stream they
 * take and wherever the file goes. SHA-256, hex: links may hold tokens, and the key is stored and compared in the clear.
 */
export function sourceKey(spec: JobSpec): string {
  const { url, quality, recorder, format, audioOnly = false } = spec;
  const { audio = ['default'], subtitles = ['all'] } = spec;
  const wishes = [new URL(url).href, quality, recorder, format, audioOnly, audio, subtitles];
  return createHash('sha256').update(JSON.stringify(wishes)).digest('hex');
}
