import { KennelError } from '../../core/errors.ts';
import type { HopAnswer, HopRequest } from './hop.ts';
import { IGNORED_BODY_BYTES_MAX } from './limits.ts';
import type { ClientName, TransportHead } from './transport.ts';

export interface AnswerHead extends TransportHead {
  readonly setCookies: readonly string[];
}

/** What becomes of an answer, whichever client reads it: the body of a 2xx is handed over, any other is only counted. */
export class AnswerBody {
  readonly #request: HopRequest;
  readonly #via: ClientName;
  #head: AnswerHead | undefined;
  #bytes = 0;

  constructor(request: HopRequest, via: ClientName) {
    this.#request = request;
    this.#via = via;
  }

  /** Whether its head has come. */
  get begun(): boolean {
    return this.#head !== undefined;
  }

  /** Whether the status says it all: then it does not matter how the body ends. */
  get settled(): boolean {
    return this.begun && !this.#wanted;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `announcedBytes`: the length of the body, 0 when it is not told. Throws `limit.exceeded`, and what `onHead` throws. */
  begin(head: AnswerHead, announcedBytes: number): void {
    this.#head = head;
    this.#limit(announcedBytes);
    if (this.#wanted) this.#request.onHead?.(head);
  }

  /** Throws `limit.exceeded`, and what `onData` throws. */
  take(bytes: Uint8Array): void | Promise<void> {
    this.#bytes += bytes.length;
    this.#limit(this.#bytes);
    return this.#wanted ? this.#request.onData(bytes) : undefined;
  }

  answer(): HopAnswer {
    const { status = 0, headers = {}, setCookies = [] } = this.#head ?? {};
    return { status, headers, setCookies, bytes: this.#bytes, via: this.#via };
  }

  get #wanted(): boolean {
    const status = this.#head?.status ?? 0;
    return status >= 200 && status < 300;
  }

  #limit(bytes: number): void {
    const bytesMax = this.#wanted ? this.#request.bodyBytesMax : IGNORED_BODY_BYTES_MAX;
    if (bytes <= bytesMax) return;
    const { host } = this.#request.url;
    throw new KennelError(
      'limit.exceeded',
      `${host}: a body of ${bytes} bytes or more; at most ${bytesMax} are taken`,
      { details: { host, bytes, bodyBytesMax: bytesMax } },
    );
  }
}
