import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { disposable, type World } from './world.ts';
import { cameraMedia } from './worldMedia.ts';
import { startWorldProcess, type WorldProcess } from './worldProcess.ts';

export interface RtspWorld extends World {
  /** Server and camera die at once. */
  killServer(): Promise<void>;
  startServer(): Promise<void>;
}

const SERVER = join(import.meta.dirname, 'rtspServer.py');

/**
 * An RTSP camera: GStreamer's server, fed by a real ffmpeg in real time.
 *
 * @param options.python the one that has Debian's python3-gi
 */
export async function startRtspWorld(options: {
  readonly ffmpeg: string;
  readonly python: string;
}): Promise<RtspWorld> {
  const media = await cameraMedia(options.ffmpeg);
  const port = await freePort();
  const began = performance.now();
  let server: WorldProcess | undefined;

  const startServer = async () => {
    const seconds = (((performance.now() - began) % media.lengthMs) / 1_000).toFixed(3);
    const camera = spawn(
      options.ffmpeg,
      [
        ...['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-ss', seconds],
        ...['-i', media.mp4, '-c', 'copy', '-flush_packets', '1', '-f', 'mpegts', 'pipe:1'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    server = startWorldProcess(options.python, ['-u', SERVER, String(port)], {
      readyWhen: /READY/,
      input: camera.stdout,
    });
    const dieWithUs = () => void camera.kill('SIGKILL');
    process.once('exit', dieWithUs);
    void server.ended.then(() => {
      camera.kill('SIGKILL');
      process.removeListener('exit', dieWithUs);
    });
    await server.ready;
  };
  const killServer = async () => {
    await server?.end('SIGKILL');
    server = undefined;
  };
  await startServer();
  return disposable({
    url: `rtsp://127.0.0.1:${port}/show`,
    truth: media.set,
    killServer,
    startServer,
    close: async () => {
      await killServer();
      media.remove();
    },
  });
}
