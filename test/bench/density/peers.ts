import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WINDOW } from './originProtocol.ts';
import type { Command } from './programSubject.ts';

export type Peer = 'ffmpeg' | 'streamlink' | 'yt-dlp' | 'curl';
export const PEERS: readonly Peer[] = ['ffmpeg', 'streamlink', 'yt-dlp', 'curl'];

/** Python starts for half a second, and each yt-dlp starts an ffmpeg: more than these on a small machine measure its limit. */
export const HEAVY_STREAMS_MAX = 10;
export const isHeavy = (peer: Peer): boolean => peer === 'streamlink' || peer === 'yt-dlp';

/** `--parallel-max` of curl takes no more. */
const CURL_PARALLEL_MAX = 300;
/** So many segments of each stream are asked for: ten minutes, and nobody measures that long. */
const CURL_SEGMENTS = 300;

export interface PeerOrder {
  /** The program's file. */
  readonly program: string;
  /** The playlist of each stream. */
  readonly urls: readonly string[];
  readonly certificateFile: string | undefined;
}

/** How people record with it: one process for each stream, except curl, which only shows what fetching costs at least. */
export function commandsOf(peer: Peer, order: PeerOrder, directory: string): readonly Command[] {
  if (peer === 'curl') return [curl(order, directory)];
  return order.urls.map((url, index) => ({
    file: order.program,
    args: argumentsOf(peer, {
      url,
      out: join(directory, `${index}.ts`),
      isTls: order.certificateFile !== undefined,
    }),
  }));
}

interface One {
  readonly url: string;
  readonly out: string;
  readonly isTls: boolean;
}

function argumentsOf(peer: Exclude<Peer, 'curl'>, { url, out, isTls }: One): readonly string[] {
  switch (peer) {
    case 'ffmpeg': {
      const trust = isTls ? ['-tls_verify', '0'] : [];
      const copy = ['-i', url, '-c', 'copy', '-f', 'mpegts', out];
      return ['-nostdin', '-loglevel', 'error', ...trust, ...copy];
    }
    case 'streamlink': {
      const trust = isTls ? ['--http-no-ssl-verify'] : [];
      const quiet = ['--loglevel', 'error', '--force'];
      return [...quiet, ...trust, '-o', out, `hls://${url}`, 'best'];
    }
    case 'yt-dlp': {
      const trust = isTls ? ['--no-check-certificates'] : [];
      // Without ffmpeg this version ends after one window of a live playlist.
      const how = ['--downloader', 'ffmpeg', '--hls-use-mpegts', '--no-part', '-o', out, url];
      return ['--ignore-config', '--quiet', '--no-warnings', ...trust, ...how];
    }
  }
}

/** curl reads no playlists: it asks for the next segment of each stream, and the origin answers when it is there. */
function curl({ urls, certificateFile, program }: PeerOrder, directory: string): Command {
  const lines: string[] = [];
  // From the first that is to come on: curl is slow to ask for all, and the oldest would be gone.
  for (let number = WINDOW; number < WINDOW + CURL_SEGMENTS; number++) {
    for (const [index, url] of urls.entries()) {
      lines.push(`url = "${url.replace('index.m3u8', `held/${number}.ts`)}"`);
      lines.push(`output = "${join(directory, `${index}-${number}.ts`)}"`);
    }
  }
  const list = join(directory, 'list.txt');
  writeFileSync(list, lines.join('\n'));
  const parallel = [
    '--parallel',
    '--parallel-max',
    String(Math.min(CURL_PARALLEL_MAX, urls.length)),
  ];
  const trust = certificateFile === undefined ? [] : ['--cacert', certificateFile];
  return { file: program, args: ['-q', '-s', '--http1.1', ...trust, ...parallel, '-K', list] };
}
