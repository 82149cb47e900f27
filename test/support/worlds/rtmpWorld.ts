import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, freePort } from './ports.ts';
import { startPublisher } from './publisher.ts';
import { disposable, type World } from './world.ts';
import { worldMedia } from './worldMedia.ts';
import { startWorldProcess, type WorldProcess } from './worldProcess.ts';

export interface RtmpWorld extends World {
  /** The encoder dies; the server stays and has nothing to send. */
  killPublisher(): Promise<void>;
  /** An encoder comes (back), its clock at 0, where the show stands by now. */
  startPublisher(): Promise<void>;
  /** The server dies, and the encoder with it. */
  killServer(): Promise<void>;
  startServer(): Promise<void>;
}

export interface RtmpWorldOptions {
  readonly ffmpeg: string;
  readonly nginx: string;
  /** Path of `ngx_rtmp_module.so`. */
  readonly module: string;
}

/** In the foreground and one process only, so that its end is a kill away. */
const configuration = (directory: string, { port, module }: { port: number; module: string }) => `
load_module ${module};
daemon off;
master_process off;
pid ${join(directory, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 64; }
rtmp {
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live {
      live on;
      record off;
      wait_key on;
      wait_video on;
      idle_streams off;
      drop_idle_publisher 10s;
    }
  }
}
`;

/** An RTMP server (nginx with libnginx-mod-rtmp) and an encoder. */
export async function startRtmpWorld(options: RtmpWorldOptions): Promise<RtmpWorld> {
  const media = await worldMedia(options.ffmpeg);
  const port = await freePort();
  const url = `rtmp://127.0.0.1:${port}/live/show`;
  const file = join(media.directory, 'nginx.conf');
  writeFileSync(file, configuration(media.directory, { port, module: options.module }));
  const began = performance.now();
  let server: WorldProcess | undefined;
  let publisher: WorldProcess | undefined;

  const killPublisher = async () => {
    await publisher?.end('SIGKILL');
    publisher = undefined;
  };
  const killServer = async () => {
    await killPublisher();
    await server?.end('SIGKILL');
    server = undefined;
  };
  const startEncoder = async () => {
    const atMs = performance.now() - began;
    const output = ['-f', 'flv', '-flvflags', 'no_duration_filesize', url];
    publisher = startPublisher({ ffmpeg: options.ffmpeg, media, atMs, output });
    await publisher.ready;
  };
  const startServer = async () => {
    server = startWorldProcess(options.nginx, ['-p', media.directory, '-e', 'stderr', '-c', file]);
    await Promise.race([accepts(port), server.ended.then(() => failed(server))]);
    await startEncoder();
  };
  const close = async () => {
    await killServer();
    media.remove();
  };
  await startServer();
  return disposable({
    url,
    truth: media.set,
    killPublisher,
    startPublisher: startEncoder,
    killServer,
    startServer,
    close,
  });
}

function failed(server: WorldProcess | undefined): never {
  throw new Error(`nginx ended: ${server?.tail()}`);
}
