import type { RecordingEnded } from './record.ts';

/**
 * The tracks whose playlists could not be read for a time, or ever, while the main one was recorded: what they lack has no
 * numbers, so no gap can name it. The end says it in `evidence.unheard`.
 */
export function unheardTracks({
  ended,
}: {
  readonly ended: Pick<RecordingEnded, 'evidence'> | undefined;
}): readonly string[] {
  const tracks = ended?.evidence['unheard'];
  return Array.isArray(tracks) ? tracks.filter((track) => typeof track === 'string') : [];
}
