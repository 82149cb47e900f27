import { KennelError } from '../../core/errors.ts';
import { PLAYLIST_CHARACTERS_MAX } from '../playlist/parsePlaylist.ts';
import { type FetchedText, fetchText } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';

export interface PlaylistQuestion {
  readonly transport: Transport;
  readonly url: URL;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * The text that an address has for a playlist. Rejects as the transport does, and with `source.notFound` (404, 410),
 * `source.refused` (401, 403, 451) or `source.unavailable` with `details.status`.
 */
export async function playlistAnswer(question: PlaylistQuestion): Promise<FetchedText> {
  const { url, transport, signal, timeoutMs } = question;
  const answer = await fetchText({
    transport,
    url,
    signal,
    idleTimeoutMs: timeoutMs,
    bodyBytesMax: PLAYLIST_CHARACTERS_MAX,
  });
  const { status } = answer;
  if (status >= 200 && status < 300) return answer;
  const missing = status === 404 || status === 410;
  const refused = status === 401 || status === 403 || status === 451;
  throw new KennelError(
    missing ? 'source.notFound' : refused ? 'source.refused' : 'source.unavailable',
    `${url.host} answered ${status} for the playlist.`,
    { retryable: true, details: { host: url.host, status } },
  );
}
