import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { KennelError, messageOf } from '../core/errors.ts';
import type { MasterPlaylist, MediaPlaylist } from '../hls/playlist/model.ts';
import { PLAYLIST_CHARACTERS_MAX, parsePlaylist } from '../hls/playlist/parsePlaylist.ts';
import { fetchText } from '../hls/transport/fetchText.ts';
import { leanTransport } from '../hls/transport/leanTransport.ts';
import { type MediaInfo, probeFile } from '../media/probe.ts';

/** A server that says nothing for so long is not asked any more, milliseconds. */
const IDLE_TIMEOUT_MS = 10_000;
/** Enough of a file to tell a playlist from media. */
const PLAYLIST_HEAD = /^\ufeff?\s*#EXTM3U/;

export type Probed = MasterPlaylist | MediaPlaylist | (MediaInfo & { readonly kind: 'file' });

export interface ProbeOptions {
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads a playlist behind a link or in a file, or the tracks of a media file.
 *
 * @throws KennelError `source.…`, `playlist.invalid`, `usage.invalid`
 */
export async function probe({ target, headers, signal }: ProbeOptions): Promise<Probed> {
  if (/^https?:\/\//i.test(target)) return await probeLink({ target, headers, signal });
  let bytes: Buffer;
  try {
    bytes = await readFile(target);
  } catch (error) {
    throw new KennelError('usage.invalid', `${target} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const text = bytes.toString('utf8');
  const isPlaylist = PLAYLIST_HEAD.test(text.slice(0, 1_024)) || /\.m3u8?$/i.test(target);
  if (isPlaylist) return parsePlaylist(text, pathToFileURL(target));
  return { kind: 'file', ...(await probeFile(target, { environment: {}, signal })) };
}

async function probeLink({ target, headers, signal }: ProbeOptions): Promise<Probed> {
  const transport = leanTransport();
  try {
    const { status, text, url } = await fetchText({
      transport,
      url: new URL(target),
      ...(headers && { headers }),
      signal,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      bodyBytesMax: PLAYLIST_CHARACTERS_MAX,
    });
    if (status >= 200 && status < 300) return parsePlaylist(text, url);
    const isGone = status === 404 || status === 410;
    throw new KennelError(
      isGone ? 'source.notFound' : status < 500 ? 'source.refused' : 'source.unavailable',
      `${url.origin}${url.pathname} answered ${status}.`,
      { details: { status } },
    );
  } finally {
    transport.close();
  }
}
