import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { KennelError, messageOf, systemCodeOf } from '../../core/errors.ts';
import { GrowingBuffer } from './growingBuffer.ts';
import type { Transport } from './transport.ts';

export interface FetchOptions {
  readonly transport: Transport;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly idleTimeoutMs: number;
  /** The body may not be longer, bytes: neither as it is sent nor once it is decompressed. */
  readonly bodyBytesMax: number;
}

export interface FetchedBytes {
  readonly status: number;
  /** Empty unless the status is 2xx. */
  readonly bytes: Buffer;
  /** After redirects: what relative links in the body refer to. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FetchedText {
  readonly status: number;
  /** Decoded as UTF-8 without a byte order mark; empty unless the status is 2xx. */
  readonly text: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate);
const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
/** RFC 1950 §2.2: the method is deflate, and the two bytes are a multiple of 31. */
const hasZlibHeader = (bytes: Buffer): boolean =>
  bytes.length >= 2 && (bytes.readUInt8(0) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;

type Decompress = (bytes: Buffer, options: zlib.ZlibOptions) => Promise<Buffer>;
const DECOMPRESS: Readonly<Record<string, Decompress>> = {
  gzip: promisify(zlib.gunzip),
  'x-gzip': promisify(zlib.gunzip),
  // Half the servers send it with zlib's header, as RFC 9110 §8.4.1.2 says, half without.
  deflate: (bytes, options) => (hasZlibHeader(bytes) ? inflate : inflateRaw)(bytes, options),
  br: promisify(zlib.brotliDecompress),
  ...zstd(),
};

/** Request headers that would change which body comes back; a person may have copied them from a browser. */
const BODY_HEADERS = new Set([
  'accept-encoding',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]);

/** Headers without those that would bring a part of the body, an encoded one, or none. */
export function plainHeaders(
  headers: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!BODY_HEADERS.has(name.toLowerCase())) plain[name] = value;
  }
  return plain;
}

/**
 * Fetches a small body (a playlist, a key) whole. Resolves for every status. Rejects as the transport does, and with
 * `limit.exceeded` when the body grows beyond the limit, `source.unavailable` when its compression is broken.
 */
export async function fetchBytes(options: FetchOptions): Promise<FetchedBytes> {
  // Not a list of pieces: each would take a hundred bytes of its own, however short a malicious server makes it.
  const gathered = new GrowingBuffer();
  let body: Buffer = Buffer.alloc(0);
  const response = await options.transport.get({
    url: options.url,
    headers: { ...plainHeaders(options.headers), 'accept-encoding': 'gzip, br' },
    signal: options.signal,
    idleTimeoutMs: options.idleTimeoutMs,
    bodyBytesMax: options.bodyBytesMax,
    onData: (bytes) => {
      body = gathered.append(bytes);
    },
  });
  const { status, url, headers } = response;
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (body.length === 0 || encoding === 'identity' || encoding === '') {
    return { status, bytes: body, url, headers };
  }
  return { status, bytes: await decompressed(body, encoding, options), url, headers };
}

/** As `fetchBytes`, for text. */
export async function fetchText(options: FetchOptions): Promise<FetchedText> {
  const { status, bytes, url, headers } = await fetchBytes(options);
  return { status, text: new TextDecoder().decode(bytes), url, headers };
}

async function decompressed(
  body: Buffer,
  encoding: string,
  { url, bodyBytesMax }: FetchOptions,
): Promise<Buffer> {
  const decompress = Object.hasOwn(DECOMPRESS, encoding) ? DECOMPRESS[encoding] : undefined;
  try {
    if (decompress === undefined) throw new Error('an encoding that was not asked for');
    return await decompress(body, { maxOutputLength: bodyBytesMax });
  } catch (error) {
    const details = { host: url.host, encoding, bytes: body.length, bodyBytesMax };
    if (systemCodeOf(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new KennelError(
        'limit.exceeded',
        `${url.host}: ${body.length} bytes of ${encoding} expand to more than ${bodyBytesMax}`,
        { cause: error, details },
      );
    }
    throw new KennelError(
      'source.unavailable',
      `${url.host}: the body cannot be decoded as ${encoding}: ${messageOf(error)}`,
      { cause: error, retryable: true, details },
    );
  }
}

/** Only newer versions of Node have it; nobody is asked for it. */
function zstd(): Readonly<Record<string, Decompress>> {
  if (!('zstdDecompress' in zlib)) return {};
  const decompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
  return {
    zstd: (bytes, { maxOutputLength }) =>
      decompress(bytes, maxOutputLength === undefined ? {} : { maxOutputLength }),
  };
}
