import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One whole MPEG-TS segment whose content is its number: enough for every check but a decoder's. */
export function tsSegment(content: number): Buffer {
  const segment = Buffer.alloc(188 * 20, content % 251);
  for (let at = 0; at < segment.length; at += 188) segment[at] = 0x47;
  segment.writeUInt32BE(content, 4);
  return segment;
}

/** A fragmented MP4 file of these boxes. */
export const mp4 = (...boxes: readonly [type: string, content: string][]): Buffer =>
  Buffer.concat(
    boxes.map(([type, content]) => {
      const box = Buffer.from(`0000${type}${content}`);
      box.writeUInt32BE(box.length, 0);
      return box;
    }),
  );

export type Answer =
  | string
  | Buffer
  | {
      readonly status?: number;
      readonly body?: string | Buffer;
      readonly headers?: Record<string, string>;
    };

export interface TinyOrigin {
  readonly url: string;
  /** What is asked for, in order. */
  readonly asked: string[];
  readonly requests: IncomingMessage[];
  close(): Promise<void>;
}

/** A real HTTP server on loopback; `answer` gives what a path holds right now, undefined a 404. */
export async function tinyOrigin(
  answer: (path: string) => Answer | undefined,
): Promise<TinyOrigin> {
  const asked: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    asked.push(path);
    requests.push(request);
    const found = answer(path) ?? { status: 404, body: 'nothing here' };
    const {
      status = 200,
      body = '',
      headers = {},
    } = typeof found === 'string' || Buffer.isBuffer(found) ? { body: found } : found;
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has this kind of address
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface Listing {
  readonly first: number;
  readonly count: number;
  readonly ended?: boolean;
  readonly map?: string;
  readonly name?: (msn: number) => string;
}

/** A media playlist of segments that last 0.3 s. */
export function playlistText({
  first,
  count,
  ended,
  map,
  name = (msn) => `s${msn}.ts`,
}: Listing): string {
  const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:1', `#EXT-X-MEDIA-SEQUENCE:${first}`];
  if (map !== undefined) lines.push(`#EXT-X-MAP:URI="${map}"`);
  for (let msn = first; msn < first + count; msn++) lines.push('#EXTINF:0.3,', name(msn));
  if (ended === true) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
