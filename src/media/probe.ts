import { KennelError } from '../core/errors.ts';
import { type AskOptions, askInspect } from './mediabunny/askMediabunny.ts';
import type { MediaInfo } from './mediabunny/protocol.ts';

export type { MediaInfo };

/**
 * Tracks, packets and duration of a local media file. Throws `usage.invalid` for a file that is no readable media, and
 * `mux.failed` when the reading process fails.
 */
export async function probeFile(file: string, options: AskOptions): Promise<MediaInfo> {
  const [answer] = (await askInspect({ inputs: [[file]], count: true }, options)).inputs;
  if (answer !== undefined && 'info' in answer) return answer.info;
  throw new KennelError(
    'usage.invalid',
    `${file} is not a media file that can be read: ${answer?.unreadable ?? 'no answer'}`,
  );
}
