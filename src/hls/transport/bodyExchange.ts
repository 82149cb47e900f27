import { AnswerBody } from './answerBody.ts';
import type { Exchange } from './connection.ts';
import type { HopAnswer, HopRequest } from './hop.ts';
import type { ResponseHead } from './responseHead.ts';

export interface BodyExchangeOptions {
  readonly head: string;
  readonly request: HopRequest;
  resolve(answer: HopAnswer): void;
  reject(error: unknown): void;
  /** The kept connection was closed: the same again on a new one. */
  retry(): void;
}

/** A hop as a connection sees it. */
export class BodyExchange implements Exchange {
  readonly head: string;
  readonly idleTimeoutMs: number;
  readonly #options: BodyExchangeOptions;
  readonly #body: AnswerBody;

  constructor(options: BodyExchangeOptions) {
    this.#options = options;
    this.#body = new AnswerBody(options.request, 'lean');
    this.head = options.head;
    this.idleTimeoutMs = options.request.idleTimeoutMs;
  }

  onHead(head: ResponseHead): void {
    this.#body.begin(head, head.framing.kind === 'length' ? head.framing.bytes : 0);
  }

  onBody(bytes: Buffer): void | Promise<void> {
    return this.#body.take(bytes);
  }

  done(): void {
    this.#options.resolve(this.#body.answer());
  }

  failed(error: unknown, stale: boolean): void {
    if (stale) this.#options.retry();
    else if (this.#body.settled) this.done();
    else this.#options.reject(error);
  }
}
