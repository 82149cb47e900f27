import { KennelError } from '../../core/errors.ts';
import type { Exchange } from './connection.ts';
import type { ResponseHead } from './responseHead.ts';
import type { TransportRequest, TransportResponse } from './transport.ts';

/** The body of an answer that is not 2xx is read to its end up to here, to keep the connection; longer ones are cut off. */
const IGNORED_BODY_BYTES_MAX = 64 * 1024;

export interface BodyExchangeOptions {
  readonly url: URL;
  readonly head: string;
  readonly request: TransportRequest;
  resolve(response: TransportResponse): void;
  reject(error: unknown): void;
  /** The kept connection was closed: the same again on a new one. */
  retry(): void;
}

/** One hop of a GET: hands the body of a 2xx answer over, and settles for any other by its status. */
export class BodyExchange implements Exchange {
  readonly head: string;
  readonly idleTimeoutMs: number;
  readonly #options: BodyExchangeOptions;
  #answer: ResponseHead | undefined;
  #bytes = 0;

  constructor(options: BodyExchangeOptions) {
    this.#options = options;
    this.head = options.head;
    this.idleTimeoutMs = options.request.idleTimeoutMs;
  }

  onHead(answer: ResponseHead): void {
    this.#answer = answer;
    const announced = answer.framing.kind === 'length' ? answer.framing.bytes : 0;
    this.#limit(announced);
    if (this.#wanted) this.#options.request.onHead?.(answer);
  }

  onBody(bytes: Buffer): void | Promise<void> {
    this.#bytes += bytes.length;
    this.#limit(this.#bytes);
    return this.#wanted ? this.#options.request.onData(bytes) : undefined;
  }

  done(): void {
    this.#finish();
  }

  failed(error: unknown, stale: boolean): void {
    if (stale) this.#options.retry();
    // The status says it all: it does not matter how the body of a 404 ends.
    else if (this.#answer !== undefined && !this.#wanted) this.#finish();
    else this.#options.reject(error);
  }

  get #wanted(): boolean {
    const status = this.#answer?.status ?? 0;
    return status >= 200 && status < 300;
  }

  #finish(): void {
    const { resolve, url } = this.#options;
    resolve({
      status: this.#answer?.status ?? 0,
      headers: this.#answer?.headers ?? {},
      url,
      bytes: this.#bytes,
    });
  }

  #limit(bytes: number): void {
    const { request, url } = this.#options;
    const bytesMax = this.#wanted ? request.bodyBytesMax : IGNORED_BODY_BYTES_MAX;
    if (bytes <= bytesMax) return;
    throw new KennelError(
      'limit.exceeded',
      `${url.host}: a body of ${bytes} bytes or more; at most ${bytesMax} are taken`,
      { details: { host: url.host, bytes, bodyBytesMax: bytesMax } },
    );
  }
}
