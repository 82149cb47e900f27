import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isSound, type Twist } from './faults.ts';

/** What the origin means to say. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** MPEG-TS packet length: a body that is halved stays a whole number of packets, so that only its content tells. */
const TS_PACKET_BYTES = 188;
/** Pieces of a dripping body. */
const DRIP_PIECES = 10;
/** How far a lying Content-Length is off: whole packets, so that a segment that is too short looks whole. */
const LIE_BYTES = 10 * TS_PACKET_BYTES;
/** Lets the bytes before a cut reach the client as data, not be swallowed by the reset that follows. */
const CUT_AFTER_MS = 20;

const HTML = '<!doctype html><title>Sign in</title><p>Please sign in to this network.</p>\n';

/**
 * Sends the answer, spoilt by the twist if there is one. Resolves once the connection is done with it: true when it was
 * handed over whole and as meant (late counts as well), false when it was not. Never rejects.
 */
export function send(response: ServerResponse, answer: Answer, twist?: Twist): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const sound = isSound(twist);
  response.once('finish', () => resolve(sound));
  response.once('close', () => resolve(false));
  if (twist === undefined) whole(response, answer);
  else spoil(response, answer, twist);
  return promise;
}

function whole(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

function spoil(response: ServerResponse, answer: Answer, twist: Twist): void {
  const { status, headers } = answer;
  const body = Buffer.from(answer.body);
  const half = body.subarray(0, body.length >> 1);
  const begin = (bytes = body.length): unknown =>
    response.writeHead(status, { 'content-length': bytes, ...headers });
  switch (twist.do) {
    case 'status':
      whole(response, { status: twist.status, body: 'out of order\n' });
      break;
    case 'html':
      whole(response, { status: 200, headers: { 'content-type': 'text/html' }, body: HTML });
      break;
    case 'empty':
      whole(response, { ...answer, body: '' });
      break;
    case 'halved': {
      const bytes = Math.floor(half.length / TS_PACKET_BYTES) * TS_PACKET_BYTES;
      whole(response, { ...answer, body: body.subarray(0, bytes || half.length) });
      break;
    }
    case 'truncated':
      begin();
      cutAfter(response, half);
      break;
    case 'reset':
      begin();
      cutAfter(response, half, (socket) => socket.resetAndDestroy());
      break;
    case 'longer':
      begin(body.length + LIE_BYTES);
      cutAfter(response, body);
      break;
    case 'shorter':
      begin(Math.max(0, body.length - LIE_BYTES));
      response.end(body);
      break;
    case 'partial': {
      const range = { 'content-range': `bytes 0-${body.length - 1}/${body.length}` };
      whole(response, { status: 206, headers: { ...headers, ...range }, body });
      break;
    }
    case 'cut':
      response.writeHead(status, { ...headers, 'transfer-encoding': 'chunked' });
      cutAfter(response, half);
      break;
    case 'stall':
      begin();
      response.write(half);
      later(response, twist.delayMs, () => response.end(body.subarray(half.length)));
      break;
    case 'drip':
      begin();
      drip(response, body, twist.delayMs);
      break;
    case 'slow':
      later(response, twist.delayMs, () => whole(response, answer));
      break;
    case 'hang':
      break;
  }
}

function cutAfter(
  response: ServerResponse,
  bytes: Buffer,
  cut = (socket: Socket): unknown => socket.destroy(),
): void {
  const end = (): unknown => response.socket && cut(response.socket);
  response.write(bytes, () => later(response, CUT_AFTER_MS, end));
}

function drip(response: ServerResponse, body: Buffer, overMs: number): void {
  const bytes = Math.max(1, Math.ceil(body.length / DRIP_PIECES));
  const next = (from: number): void => {
    const piece = body.subarray(from, from + bytes);
    const rest = from + bytes;
    if (rest >= body.length) response.end(piece);
    else {
      response.write(piece);
      later(response, overMs / DRIP_PIECES, () => next(rest));
    }
  };
  next(0);
}

/** Real time, forgotten when the client leaves. */
function later(response: ServerResponse, delayMs: number, act: () => unknown): void {
  const forget = (): void => clearTimeout(timer);
  const timer = setTimeout(() => {
    response.off('close', forget);
    act();
  }, delayMs);
  response.once('close', forget);
}
