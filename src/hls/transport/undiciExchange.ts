import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import { AnswerBody } from './answerBody.ts';
import type { HopAnswer, HopRequest } from './hop.ts';
import {
  closedUnanswered,
  type Party,
  partyOf,
  undiciFailure,
  wrongLength,
} from './undiciFailure.ts';
import { readUndiciHead } from './undiciHead.ts';

export interface UndiciExchangeOptions {
  readonly request: HopRequest;
  readonly clock: Clock;
  /** Called once, before any of the three. */
  settled(): void;
  resolve(answer: HopAnswer): void;
  reject(error: unknown): void;
  /** The connection was closed before one byte of an answer. */
  unanswered(error: KennelError): void;
}

/** One request as undici's dispatcher sees it: every piece of the body is passed on as it comes, nothing is kept. */
export class UndiciExchange implements Dispatcher.DispatchHandler {
  readonly #options: UndiciExchangeOptions;
  readonly #body: AnswerBody;
  readonly #party: Party;
  #controller: Dispatcher.DispatchController | undefined;
  /** Of the body, bytes; absent when only its end tells. */
  #announced: number | undefined;
  #settled = false;
  /** Promises of `onData` that have not settled. */
  #pauses = 0;
  #ended = false;
  #lastByteAt: number;
  #timer: unknown;

  constructor(options: UndiciExchangeOptions) {
    const { request, clock } = options;
    this.#options = options;
    this.#body = new AnswerBody(request, 'undici');
    this.#party = partyOf(request);
    this.#lastByteAt = clock.elapsed();
    this.#watch(request.idleTimeoutMs);
  }

  /** Ends it with the caller's reason. What undici still does for it is stopped as soon as undici can be told. */
  abort(reason: unknown): void {
    this.#settle(() => this.#options.reject(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(letGo);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim answers (1xx) come by here too.
    if (this.#settled || status < 200) return;
    this.#guard(() => {
      const head = readUndiciHead(this.#party, status, controller.rawHeaders);
      this.#announced = head.announcedBytes;
      this.#lastByteAt = this.#options.clock.elapsed();
      this.#body.begin(head, head.announcedBytes ?? 0);
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#settled) return;
    this.#guard(() => {
      this.#lastByteAt = this.#options.clock.elapsed();
      const written = this.#body.take(bytes);
      if (written !== undefined) this.#hold(controller, written);
    });
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#finish();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#settled) return;
    this.#ended = true;
    const failure = undiciFailure(this.#party, error, this.#body);
    if (closedUnanswered(error, this.#body)) {
      this.#settle(() => this.#options.unanswered(failure));
    } else {
      this.#fail(failure);
    }
  }

  #hold(controller: Dispatcher.DispatchController, written: Promise<void>): void {
    this.#pauses++;
    controller.pause();
    written.then(
      () => {
        this.#pauses--;
        if (this.#pauses > 0 || this.#settled) return;
        this.#lastByteAt = this.#options.clock.elapsed();
        controller.resume();
        this.#finish();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #finish(): void {
    if (this.#settled || !this.#ended || this.#pauses > 0) return;
    const { bytes, settled } = this.#body;
    // HTTP/2 streams can be ended as if nothing were missing.
    if (!settled && this.#announced !== undefined && bytes !== this.#announced) {
      this.#fail(wrongLength(this.#party.host));
      return;
    }
    this.#settle(() => this.#options.resolve(this.#body.answer()));
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { resolve, reject } = this.#options;
    this.#settle(() => (this.#body.settled ? resolve(this.#body.answer()) : reject(error)));
  }

  #settle(tell: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.clock.clearTimeout(this.#timer);
    if (!this.#ended) this.#controller?.abort(letGo);
    this.#options.settled();
    tell();
  }

  /** As for a connection: the head must come whole within the timeout, and while the consumer holds on, silence is ours. */
  #watch(delayMs: number): void {
    const { clock, request } = this.#options;
    const { idleTimeoutMs } = request;
    this.#timer = clock.setTimeout(() => {
      if (this.#pauses > 0) return this.#watch(idleTimeoutMs);
      const silentMs = clock.elapsed() - this.#lastByteAt;
      // Timers fire up to a millisecond early.
      if (silentMs < idleTimeoutMs - 1) return this.#watch(idleTimeoutMs - silentMs);
      const { host } = this.#party;
      const phase = this.#controller === undefined ? 'connect' : this.#body.begun ? 'body' : 'head';
      this.#fail(
        new KennelError('timeout.exceeded', `${host}: no byte for ${idleTimeoutMs} ms`, {
          retryable: true,
          details: { host, idleTimeoutMs, phase },
        }),
      );
    }, delayMs);
  }
}

const letGo = new Error('nobody waits for this answer any more');
