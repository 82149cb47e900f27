import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const TYPES: Readonly<Record<string, string>> = {
  '.mpd': 'application/dash+xml',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.ts': 'video/mp2t',
};

/** Between two pieces of a throttled answer, milliseconds. */
const PIECE_MS = 100;

export interface DirectoryServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Names of the files that were asked for, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves the files of one directory, with ranges.
 *
 * @param options.bytesPerSecond how fast an answer goes at most; default: as fast as it can
 */
export async function serveDirectory(
  directory: string,
  { bytesPerSecond }: { readonly bytesPerSecond?: number | undefined } = {},
): Promise<DirectoryServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://x').pathname);
    asked.push(name);
    answer({ request, response, file: join(directory, name), bytesPerSecond });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an AddressInfo; strings are for pipes.
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}`, asked, close };
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly file: string;
  readonly bytesPerSecond: number | undefined;
}

function answer({ request, response, file, bytesPerSecond }: Asked): void {
  const size = sizeOf(file);
  if (size === undefined) {
    response.writeHead(404).end('no such file\n');
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = to ? Math.min(Number(to), size - 1) : size - 1;
  if (start >= size) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  response.writeHead(from === undefined ? 200 : 206, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    ...(from !== undefined && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const pieceBytes = bytesPerSecond && Math.ceil((bytesPerSecond * PIECE_MS) / 1_000);
  const body = createReadStream(file, { start, end, highWaterMark: pieceBytes ?? 65_536 });
  // A segment may leave the window while it is being read, and a client may leave: neither is a bug of the server.
  body.on('error', () => response.destroy());
  response.on('close', () => body.destroy());
  (pieceBytes === undefined ? body : body.pipe(slowly())).pipe(response);
}

const slowly = (): Transform =>
  new Transform({
    transform(piece, _encoding, done) {
      void sleep(PIECE_MS).then(() => done(null, piece));
    },
  });

function sizeOf(file: string): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? found.size : undefined;
}
