import { KennelError } from '../../core/errors.ts';
import { invalid } from '../../recording/files/container.ts';
import type { ByteRange } from '../playlist/model.ts';
import { plainHeaders } from '../transport/fetchText.ts';
import type { Transport, TransportHead } from '../transport/transport.ts';
import { BodyDecoder, isEncoded, type Sink } from './bodyDecoder.ts';
import { refuseStatus } from './refuseStatus.ts';

export interface BodyRequest {
  readonly transport: Transport;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** EXT-X-BYTERANGE: the part of the resource that is wanted, bytes. */
  readonly range?: ByteRange;
  readonly signal: AbortSignal;
  readonly idleTimeoutMs: number;
  readonly bodyBytesMax: number;
}

/**
 * Brings the bytes of a resource, or of a part of it, to a sink, decoded. Resolves once the sink has all of them. Rejects as
 * the transport does (`limit.exceeded` also when a part is too long to be asked for); with `source.notFound` (404, 410),
 * `source.refused` (401, 403, 451) or `source.unavailable` (any other status), each with `details.status`; `segment.invalid` when
 * what comes is not what was asked for; and as the sink does.
 */
export async function receiveBody(request: BodyRequest, sink: Sink): Promise<void> {
  const { range } = request;
  if (range === undefined) await receiveWhole(request, sink);
  else await receivePart({ ...request, range }, sink);
}

async function receiveWhole(request: BodyRequest, sink: Sink): Promise<void> {
  let decoder: BodyDecoder | undefined;
  try {
    const { status } = await request.transport.get({
      ...transfer(request),
      headers: plainHeaders(request.headers),
      onHead: (head) => {
        if (head.status === 206 && !isWhole(head)) {
          throw invalid('the origin sent a part although the whole was asked for');
        }
        decoder = decoderOf(head, sink, request.bodyBytesMax);
      },
      onData: (bytes) => (decoder === undefined ? sink(bytes) : decoder.write(bytes)),
    });
    refuseStatus(request.url, status);
    await decoder?.end();
  } finally {
    decoder?.close();
  }
}

const partTaken = new Error('the part was taken');

/** The origin may answer with the whole resource: the part is then taken out of it as it streams by. */
async function receivePart(
  request: BodyRequest & { readonly range: ByteRange },
  sink: Sink,
): Promise<void> {
  const { range, signal } = request;
  refuseLength(request.url, range.length, request.bodyBytesMax);
  const enough = new AbortController();
  const cut = new Cut(range, sink, () => enough.abort(partTaken));
  let decoder: BodyDecoder | undefined;
  let received = 0;
  try {
    const { status } = await request.transport.get({
      ...transfer(request),
      headers: {
        ...plainHeaders(request.headers),
        range: `bytes=${range.offset}-${range.offset + range.length - 1}`,
      },
      signal: AbortSignal.any([signal, enough.signal]),
      // The whole may be long; what is taken of it is limited by the range.
      bodyBytesMax: Number.MAX_SAFE_INTEGER,
      onHead: (head) => {
        if (head.status === 206) cut.startsAt(firstByte(head, range));
        // The range was meant for the file itself, so that a whole one is decoded first. Parts cannot be decoded.
        else decoder = decoderOf(head, (bytes) => cut.write(bytes), Number.MAX_SAFE_INTEGER);
      },
      onData: (bytes) => {
        received += bytes.length;
        return decoder === undefined ? cut.write(bytes) : decoder.write(bytes);
      },
    });
    refuseStatus(request.url, status);
    await decoder?.end();
  } catch (error) {
    if (error !== partTaken) throw error;
  } finally {
    decoder?.close();
  }
  if (cut.missing > 0) {
    throw invalid('what the origin sent ends before the byte range does', { ...range, received });
  }
}

/** A playlist may name parts of any length. */
function refuseLength({ host }: URL, bytes: number, bodyBytesMax: number): void {
  if (bytes <= bodyBytesMax) return;
  throw new KennelError(
    'limit.exceeded',
    `${host}: a byte range of ${bytes} bytes; at most ${bodyBytesMax} are taken`,
    { details: { host, bytes, bodyBytesMax } },
  );
}

/** Takes a part out of a resource whose bytes pass by. */
class Cut {
  readonly #range: ByteRange;
  readonly #sink: Sink;
  readonly #enough: () => void;
  #position = 0;
  #taken = 0;

  constructor(range: ByteRange, sink: Sink, enough: () => void) {
    this.#range = range;
    this.#sink = sink;
    this.#enough = enough;
  }

  get missing(): number {
    return this.#range.length - this.#taken;
  }

  /** The first byte that comes is this one of the resource. */
  startsAt(position: number): void {
    this.#position = position;
  }

  /** `enough` is called when bytes come that nobody wants any more. */
  write(bytes: Uint8Array): undefined | Promise<void> {
    if (this.missing === 0) {
      this.#enough();
      return undefined;
    }
    const from = Math.min(bytes.length, Math.max(0, this.#range.offset - this.#position));
    const part = bytes.subarray(from, from + this.missing);
    this.#position += bytes.length;
    if (part.length === 0) return undefined;
    this.#taken += part.length;
    const written = this.#sink(part);
    if (this.missing === 0 && from + part.length < bytes.length) this.#enough();
    return written;
  }
}

/** Some servers call every body a part, also the one that begins at nought and ends where the resource does. */
function isWhole({ headers }: TransportHead): boolean {
  const [, last, length] = /^bytes 0-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  return length !== undefined && Number(last) + 1 === Number(length);
}

/** Where an answer with status 206 begins. Throws `segment.invalid` when that is not what was asked for. */
function firstByte({ headers }: TransportHead, range: ByteRange): number {
  const contentRange = headers['content-range'] ?? '';
  const first = Number(/^bytes (\d+)-\d+\//.exec(contentRange)?.[1]);
  if (first === range.offset) return first;
  throw invalid('the origin sent another byte range than was asked for', {
    ...range,
    contentRange,
  });
}

function decoderOf(
  { headers }: TransportHead,
  sink: Sink,
  bytesMax: number,
): BodyDecoder | undefined {
  const encoding = headers['content-encoding'];
  return isEncoded(encoding) ? new BodyDecoder(encoding, sink, bytesMax) : undefined;
}

const transfer = ({ url, signal, idleTimeoutMs, bodyBytesMax }: BodyRequest) => ({
  url,
  signal,
  idleTimeoutMs,
  bodyBytesMax,
});
