import { freeUdpPort } from './ports.ts';
import { startPublisher } from './publisher.ts';
import { disposable, type World } from './world.ts';
import { worldMedia } from './worldMedia.ts';
import type { WorldProcess } from './worldProcess.ts';

export interface SrtWorld extends World {
  /** The source dies; its successor listens after so many milliseconds. */
  cut(forMs: number): Promise<void>;
}

/**
 * An SRT source: ffmpeg as the listener, which serves one caller and ends with it; the next one listens at once, where the show
 * stands by then and with the same clock.
 */
export async function startSrtWorld({ ffmpeg }: { readonly ffmpeg: string }): Promise<SrtWorld> {
  const media = await worldMedia(ffmpeg);
  const port = await freeUdpPort();
  const began = performance.now();
  let publisher: WorldProcess | undefined;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let silentMs = 0;

  const listen = () => {
    if (isClosed) return;
    const atMs = performance.now() - began;
    const output = [
      ...['-output_ts_offset', (atMs / 1_000).toFixed(3), '-f', 'mpegts'],
      `srt://127.0.0.1:${port}?mode=listener&latency=200000`,
    ];
    publisher = startPublisher({ ffmpeg, media, atMs, output });
    void publisher.ended.then(() => {
      timer = setTimeout(listen, silentMs);
      silentMs = 0;
    });
  };
  listen();
  return disposable({
    url: `srt://127.0.0.1:${port}`,
    truth: media.set,
    cut: async (forMs: number) => {
      silentMs = forMs;
      await publisher?.end('SIGKILL');
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await publisher?.end('SIGKILL');
      clearTimeout(timer);
      media.remove();
    },
  });
}
