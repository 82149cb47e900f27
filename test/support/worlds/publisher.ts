import type { WorldMedia } from './worldMedia.ts';
import { startWorldProcess, type WorldProcess } from './worldProcess.ts';

export interface PublisherOptions {
  readonly ffmpeg: string;
  readonly media: WorldMedia;
  /** Where in the show it begins, milliseconds. Default: at its beginning. */
  readonly atMs?: number;
  /** ffmpeg's output options and address. */
  readonly output: readonly string[];
}

/** A real ffmpeg that plays the show in real time, over and over, as an encoder would. `ready` once it plays. */
export function startPublisher({
  ffmpeg,
  media,
  atMs = 0,
  output,
}: PublisherOptions): WorldProcess {
  const input = ['-re', '-stream_loop', '-1', '-ss', ((atMs % media.lengthMs) / 1_000).toFixed(3)];
  return startWorldProcess(
    ffmpeg,
    [
      ...['-hide_banner', '-nostdin', '-v', 'warning', '-nostats', '-progress', 'pipe:1'],
      ...[...input, '-i', media.mp4, '-map', '0:v', '-map', '0:a', '-c', 'copy', ...output],
    ],
    { readyWhen: /^frame=[1-9]/m },
  );
}
