import { createDecipheriv, type Decipheriv } from 'node:crypto';
import { KennelError } from '../../core/errors.ts';
import type { ChecksumAlgorithm } from '../../ledger/record.ts';
import { plainHeaders } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';
import { BodyFile } from './bodyFile.ts';
import { type Container, ContainerCheck, type ExpectedContainer, invalid } from './container.ts';

export interface SegmentRequest {
  readonly transport: Transport;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** EXT-X-BYTERANGE: the part of the resource that is the segment, bytes. */
  readonly range?: { readonly offset: number; readonly length: number };
  /** AES-128 (CBC, PKCS#7) of the whole segment: 16 bytes each. */
  readonly decrypt?: { readonly key: Uint8Array; readonly iv: Uint8Array };
  readonly signal: AbortSignal;
  /** Where the segment goes. Its directory exists; a file of that name is written over. */
  readonly file: string;
  readonly checksums: ChecksumAlgorithm;
  /** Default: a media segment of any container. */
  readonly container?: ExpectedContainer;
  readonly idleTimeoutMs: number;
  readonly bodyBytesMax: number;
}

export interface FetchedSegment {
  /** Length of the file. */
  readonly bytes: number;
  /** Of the file, hex. */
  readonly checksum: string;
  readonly container: Container;
}

/**
 * Fetches one segment into a file. Resolves once it is whole, checked and durable (its name is, after `syncDirectory`).
 * Rejects, leaving no file: as the transport does; `source.notFound` (404, 410), `source.refused` (401, 403, 451) or
 * `source.unavailable` (any other status), each with `details.status`; `segment.invalid` when it is no whole media segment;
 * `disk.full`, `disk.failed`.
 */
export async function fetchSegment(request: SegmentRequest): Promise<FetchedSegment> {
  try {
    return await download(request, request.range === undefined ? 'whole' : 'range');
  } catch (error) {
    if (error !== rangeIgnored) throw error;
    // The origin answers with the whole resource; the part is taken out of it as it streams by.
    return await download(request, 'part');
  }
}

/** `range`: the origin is asked for the part. `part`: it is asked for the whole, of which a part is taken. */
type Mode = 'whole' | 'range' | 'part';

const rangeIgnored = new Error('the origin ignored the byte range');
const partTaken = new Error('the part was taken');

async function download(request: SegmentRequest, mode: Mode): Promise<FetchedSegment> {
  const check = new ContainerCheck(request.container ?? 'any');
  const { file: path, checksums } = request;
  const file = new BodyFile({ path, checksums, inspect: (bytes) => check.feed(bytes) });
  try {
    const decipher = decipherOf(request);
    const write = (bytes: Uint8Array) =>
      file.write(decipher === undefined ? bytes : decipher.update(bytes));
    if (mode === 'part') await receivePart(request, write);
    else await receive(request, mode, write);
    if (decipher !== undefined) await file.write(lastBlock(decipher));
    file.seal();
    const container = check.finish();
    return { ...(await file.finish()), container };
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

type Write = (bytes: Uint8Array) => undefined | Promise<void>;

async function receive(request: SegmentRequest, mode: Mode, write: Write): Promise<void> {
  const { range } = request;
  let received = 0;
  const { status, headers } = await request.transport.get({
    ...transfer(request),
    ...(mode === 'range' && range !== undefined
      ? {
          headers: {
            ...plainHeaders(request.headers),
            range: `bytes=${range.offset}-${range.offset + range.length - 1}`,
          },
        }
      : {}),
    onData: (bytes) => {
      received += bytes.length;
      if (range !== undefined && received > range.length) throw rangeIgnored;
      return write(bytes);
    },
  });
  refuseStatus(request.url, status);
  if (range === undefined) {
    if (status === 206) throw invalid('the origin sent a part although the whole was asked for');
    return;
  }
  if (status !== 206) throw rangeIgnored;
  const sent = /^bytes (\d+)-(\d+)\//.exec(headers['content-range'] ?? '');
  const first = Number(sent?.[1]);
  if (first !== range.offset || received !== range.length) {
    throw invalid('the origin sent another byte range than was asked for', {
      offset: range.offset,
      length: range.length,
      contentRange: headers['content-range'] ?? '',
      received,
    });
  }
}

async function receivePart(request: SegmentRequest, write: Write): Promise<void> {
  const { offset, length } = request.range ?? { offset: 0, length: 0 };
  const enough = new AbortController();
  let position = 0;
  let taken = 0;
  try {
    const { status } = await request.transport.get({
      ...transfer(request),
      signal: AbortSignal.any([request.signal, enough.signal]),
      // The whole may be long; what is taken of it is limited by the range.
      bodyBytesMax: Number.MAX_SAFE_INTEGER,
      onData: (bytes) => {
        const from = Math.min(bytes.length, Math.max(0, offset - position));
        const part = bytes.subarray(from, from + length - taken);
        position += bytes.length;
        taken += part.length;
        const written = part.length === 0 ? undefined : write(part);
        if (taken === length) enough.abort(partTaken);
        return written;
      },
    });
    refuseStatus(request.url, status);
  } catch (error) {
    if (error !== partTaken) throw error;
  }
  if (taken !== length) {
    throw invalid('the resource ends before the byte range does', { offset, length, position });
  }
}

const transfer = (request: SegmentRequest) => ({
  url: request.url,
  headers: plainHeaders(request.headers),
  signal: request.signal,
  idleTimeoutMs: request.idleTimeoutMs,
  bodyBytesMax: request.bodyBytesMax,
});

/** Throws what a status that is not 2xx means. */
function refuseStatus({ host }: URL, status: number): void {
  if (status >= 200 && status < 300) return;
  const missing = status === 404 || status === 410;
  const refused = status === 401 || status === 403 || status === 451;
  throw new KennelError(
    missing ? 'source.notFound' : refused ? 'source.refused' : 'source.unavailable',
    `${host} answered ${status}`,
    { retryable: true, details: { host, status } },
  );
}

function decipherOf({ decrypt }: SegmentRequest): Decipheriv | undefined {
  return decrypt && createDecipheriv('aes-128-cbc', decrypt.key, decrypt.iv);
}

function lastBlock(decipher: Decipheriv): Buffer {
  try {
    return decipher.final();
  } catch (cause) {
    throw invalid('it cannot be decrypted: the key is wrong, or its end is missing', {
      cause: cause instanceof Error ? cause.message : String(cause),
    });
  }
}
