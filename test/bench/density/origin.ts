import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TEST_CERTIFICATE, TEST_KEY } from '../../unit/hls/transportCertificate.ts';
import { readSegments, SEGMENT_MS } from './media.ts';
import {
  KEPT_BEHIND,
  type OriginAddress,
  type OriginOrder,
  type Served,
  WINDOW,
} from './originProtocol.ts';

/** Our own parent starts us. */
const order = JSON.parse(process.argv[2] ?? '') as OriginOrder;
const segments = readSegments(order.directory);
const begun = performance.now();
/** Of each recorder, of each stream: how often each segment was served whole. */
const counts = new Map<string, Map<number, Map<number, number>>>();
const bytesServed = new Map<string, number>();

/** The streams' segments come evenly spread over time, as those of unrelated origins do. */
const phaseMs = (stream: number): number => (SEGMENT_MS * stream) / order.streams;
const newest = (stream: number): number =>
  WINDOW - 1 + Math.floor((performance.now() - begun + phaseMs(stream)) / SEGMENT_MS);
/** Milliseconds until a segment is there. */
const untilMs = (stream: number, number: number): number =>
  begun + (number - WINDOW + 1) * SEGMENT_MS - phaseMs(stream) - performance.now();

function playlist(stream: number): string {
  const last = newest(stream);
  const first = last - WINDOW + 1;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${SEGMENT_MS / 1_000}`,
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${Math.floor(Math.max(0, first - 1) / segments.length)}`,
  ];
  for (let number = first; number <= last; number++) {
    if (number > 0 && number % segments.length === 0) lines.push('#EXT-X-DISCONTINUITY');
    lines.push(`#EXTINF:${(SEGMENT_MS / 1_000).toFixed(3)},`, `${number}.ts`);
  }
  return `${lines.join('\n')}\n`;
}

function count({ recorder, stream, number }: Which, bytes: number): void {
  const streams = counts.get(recorder) ?? new Map<number, Map<number, number>>();
  counts.set(recorder, streams);
  const numbers = streams.get(stream) ?? new Map<number, number>();
  streams.set(stream, numbers);
  numbers.set(number, (numbers.get(number) ?? 0) + 1);
  bytesServed.set(recorder, (bytesServed.get(recorder) ?? 0) + bytes);
}

function served(recorder: string): Served {
  const streams = [...(counts.get(recorder)?.values() ?? [])];
  const sum = (of: (numbers: Map<number, number>) => number) =>
    streams.reduce((all, numbers) => all + of(numbers), 0);
  return {
    bytes: bytesServed.get(recorder) ?? 0,
    streams: streams.length,
    segments: sum(({ size }) => size),
    missing: sum((numbers) => {
      const known = [...numbers.keys()];
      return Math.max(...known) - Math.min(...known) + 1 - known.length;
    }),
    again: sum((numbers) => [...numbers.values()].filter((times) => times > 1).length),
  };
}

/** `/recorder/stream/number.ts`, with `/held/` before the number to wait for a segment that is to come. */
const SEGMENT = /^\/([\w-]+)\/(\d+)\/(held\/)?(\d+)\.ts$/;

function answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const [, recorder, text, held, number] = SEGMENT.exec(url) ?? [];
  const stream = Number(text ?? url.split('/')[2]);
  if (url === '/served') {
    const all = Object.fromEntries([...counts.keys()].map((name) => [name, served(name)]));
    response.end(JSON.stringify(all));
  } else if (url.endsWith('/index.m3u8')) {
    const body = playlist(stream);
    response.writeHead(200, {
      'content-type': 'application/vnd.apple.mpegurl',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-cache',
    });
    response.end(body);
  } else if (recorder === undefined) response.writeHead(404).end();
  else {
    const which = { recorder, stream, number: Number(number) };
    const waitMs = held === undefined ? 0 : untilMs(stream, Number(number));
    if (waitMs > 0) setTimeout(() => serve(response, which), waitMs + 1);
    else serve(response, which);
  }
}

interface Which {
  readonly recorder: string;
  readonly stream: number;
  readonly number: number;
}

function serve(response: ServerResponse, which: Which): void {
  const { stream, number } = which;
  const last = newest(stream);
  const body = segments[number % segments.length];
  const isThere = number <= last && number > last - WINDOW - KEPT_BEHIND;
  if (!isThere || body === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.once('finish', () => count(which, body.length));
  response.writeHead(200, { 'content-type': 'video/mp2t', 'content-length': body.length });
  response.end(body);
}

const server = order.tls
  ? createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, answer)
  : createServer(answer);
server.keepAliveTimeout = 30_000;
server.listen(0, 'localhost', 4_096, () => {
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port } satisfies OriginAddress)}\n`);
});
process.once('SIGTERM', () => process.exit(0));
// Whoever reads its standard input's end has lost its parent.
process.stdin.resume().once('end', () => process.exit(0));
