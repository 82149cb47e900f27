import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveDirectory } from './directoryServer.ts';
import { startPublisher } from './publisher.ts';
import { disposable, type World } from './world.ts';
import { worldMedia } from './worldMedia.ts';

const SEGMENT_SECONDS = 2;
/** Segments in the manifest, and those that stay on disk behind it. */
const WINDOW = 6;
const BEHIND = 6;

/** A live DASH origin: ffmpeg packages the show in real time, and a static server hands it out. */
export async function startDashWorld({ ffmpeg }: { readonly ffmpeg: string }): Promise<World> {
  const media = await worldMedia(ffmpeg);
  const directory = join(media.directory, 'dash');
  mkdirSync(directory);
  const output = [
    ...['-f', 'dash', '-seg_duration', String(SEGMENT_SECONDS), '-use_timeline', '1'],
    ...['-use_template', '1', '-window_size', String(WINDOW), '-extra_window_size', String(BEHIND)],
    ...['-adaptation_sets', 'id=0,streams=v id=1,streams=a', join(directory, 'show.mpd')],
  ];
  const packager = startPublisher({ ffmpeg, media, output });
  const server = await serveDirectory(directory);
  await Promise.race([
    manifestWithMedia(directory),
    packager.ended.then(() => Promise.reject(new Error(`ffmpeg ended: ${packager.tail()}`))),
  ]);
  return disposable({
    url: `${server.url}/show.mpd`,
    truth: media.set,
    close: async () => {
      await packager.end('SIGKILL');
      await server.close();
      media.remove();
    },
  });
}

/** ffmpeg, as a client, reads a stream that is younger than this twice or not at all. */
const SEGMENTS_AT_FIRST = 4;

/** Resolves when there are as many segments of picture and sound as a client needs. */
async function manifestWithMedia(directory: string): Promise<void> {
  const isReady = () =>
    existsSync(join(directory, 'show.mpd')) &&
    readdirSync(directory).filter((name) => /^chunk.*m4s$/.test(name)).length >=
      2 * SEGMENTS_AT_FIRST;
  while (!isReady()) await sleep(50);
}
