import { join } from 'node:path';
import { execa } from 'execa';
import { serveDirectory } from './directoryServer.ts';
import { disposable, type World } from './world.ts';
import { worldMedia, writeTransportStream } from './worldMedia.ts';

export interface FileWorld extends World {
  /** The same show as MP4 (`url`), MPEG-TS and, when it was asked for, WebM with VP9 and Opus. */
  readonly mp4Url: string;
  readonly tsUrl: string;
  readonly webmUrl: string;
  /** How long the WebM is. */
  readonly webmMs: number;
  /** The files themselves, for a comparison. */
  readonly files: { readonly mp4: string; readonly ts: string; readonly webm: string };
}

export interface FileWorldOptions {
  readonly ffmpeg: string;
  /** VP9 has to be encoded, which takes a few seconds. Default: no. */
  readonly webm?: boolean;
  /** Default: as fast as it can. The show has about 21 KB a second. */
  readonly bytesPerSecond?: number;
}

/** How much of the show is made WebM, seconds. */
const WEBM_SECONDS = 12;

/** Plain files behind a plain server. */
export async function startFileWorld(options: FileWorldOptions): Promise<FileWorld> {
  const media = await worldMedia(options.ffmpeg);
  const ts = join(media.directory, 'show.ts');
  writeTransportStream(ts);
  const webm = join(media.directory, 'show.webm');
  if (options.webm) {
    const fast = ['-deadline', 'realtime', '-cpu-used', '8', '-b:v', '150k', '-g', '25'];
    await execa(options.ffmpeg, [
      ...['-v', 'error', '-nostdin', '-t', String(WEBM_SECONDS), '-i', media.mp4],
      ...['-c:v', 'libvpx-vp9', ...fast, '-c:a', 'libopus', '-b:a', '32k', webm],
    ]);
  }
  const server = await serveDirectory(media.directory, { bytesPerSecond: options.bytesPerSecond });
  return disposable({
    url: `${server.url}/show.mp4`,
    mp4Url: `${server.url}/show.mp4`,
    tsUrl: `${server.url}/show.ts`,
    webmUrl: `${server.url}/show.webm`,
    webmMs: WEBM_SECONDS * 1_000,
    files: { mp4: media.mp4, ts, webm },
    truth: media.set,
    close: async () => {
      await server.close();
      media.remove();
    },
  });
}
