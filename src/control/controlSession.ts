import { z } from 'zod';
import { isTerminal, JOB_STATES } from '../../machines/vocabulary.ts';
import type { Principal } from '../core/access.ts';
import { KennelError } from '../core/errors.ts';
import type { EventStreams } from '../jobs/eventStream.ts';
import type { JobView, Operations } from '../jobs/operations.ts';
import { CONTROL_LIMITS, type ControlLimits } from './controlLimits.ts';
import type { ControlTransport } from './controlTransport.ts';
import {
  CLOSE_CODES,
  type CloseReason,
  CONTROL_VERSION,
  type ControlError,
  type ControlMessage,
  type ControlRequest,
  controlRequest,
  RequestId,
} from './protocol.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ControlParts {
  readonly operations: Pick<Operations, 'kill' | 'stop' | 'get' | 'list'>;
  readonly streams: Pick<EventStreams, 'open'>;
  /** A job as the API shows it. */
  showJob(job: JobView): Readonly<Record<string, unknown>>;
  /** A failure as the API tells it; what is a bug is logged there. */
  showError(thrown: unknown): ControlError;
  readonly limits?: ControlLimits;
}

/** Jobs of one status: as many as a page of the API has. */
const STATUS_JOBS_MAX = 100;

/** What is wrong with one message, told at once: the API tells as much. */
const ISSUES_MAX = 20;

/** Enough to answer what cannot be read otherwise. */
const Addressed = z.object({ id: RequestId });

const UNFINISHED = JOB_STATES.filter((state) => !isTerminal(state));

/**
 * One session of control by one principal, over whatever carries text. Every request is answered exactly once, in any order;
 * requests run side by side, so that a kill waits for nothing that was asked before it.
 */
export class ControlSession {
  readonly who: Principal;
  readonly #parts: ControlParts;
  readonly #limits: ControlLimits;
  readonly #transport: ControlTransport;
  readonly #subscriptions: Subscriptions;
  #running = 0;
  #hasBegun = false;
  #isClosed = false;

  constructor(who: Principal, parts: ControlParts, transport: ControlTransport) {
    this.who = who;
    this.#parts = parts;
    this.#limits = parts.limits ?? CONTROL_LIMITS;
    this.#transport = transport;
    const { subscriptionsMax } = this.#limits;
    this.#subscriptions = new Subscriptions({
      who,
      streams: parts.streams,
      transport,
      subscriptionsMax,
    });
  }

  /** One text frame. Resolves when it is answered. */
  async receive(text: string): Promise<void> {
    if (this.#isClosed) return;
    // No character has more than three bytes for its UTF-16 unit, and none less than one.
    if (
      text.length > this.#limits.messageBytesMax ||
      Buffer.byteLength(text) > this.#limits.messageBytesMax
    )
      return this.close('tooLarge');
    let request: ControlRequest;
    try {
      request = this.#read(text);
    } catch (error) {
      this.#refuse(idIn(text), error);
      // Who does not say what they speak will not be understood later either.
      if (!this.#hasBegun) this.close('notUnderstood');
      return;
    }
    this.#hasBegun = true;
    await this.#answer(request);
  }

  /** Idempotent. */
  close(reason: CloseReason): void {
    this.ended();
    this.#transport.close(CLOSE_CODES[reason], reason);
  }

  /** The connection is gone. */
  ended(): void {
    this.#isClosed = true;
    this.#subscriptions.close();
  }

  #read(text: string): ControlRequest {
    const { success, data, error } = controlRequest.safeParse(json(text));
    if (!success) {
      const issues = error.issues
        .slice(0, ISSUES_MAX)
        .map(({ path, code, message }) => ({ path: path.join('.'), code, message }));
      const [first] = issues;
      throw new KennelError(
        'request.invalid',
        `the message is not right: ${first?.path} ${first?.message}`,
        { details: { issues } },
      );
    }
    if (!this.#hasBegun && data.v !== CONTROL_VERSION)
      throw new KennelError(
        'request.invalid',
        `the first message must say which version it speaks: "v": ${CONTROL_VERSION}`,
        { details: { supported: [CONTROL_VERSION] } },
      );
    return data;
  }

  async #answer(request: ControlRequest): Promise<void> {
    const { requestsMax } = this.#limits;
    if (this.#running >= requestsMax)
      return this.#refuse(
        request.id,
        new KennelError('rate.limited', `a session may ask ${requestsMax} things at once`, {
          retryable: true,
        }),
      );
    this.#running += 1;
    try {
      await this.#do(request);
    } catch (error) {
      this.#refuse(request.id, error);
    } finally {
      this.#running -= 1;
    }
  }

  async #do(request: ControlRequest): Promise<void> {
    const { id } = request;
    const { operations, showJob } = this.#parts;
    switch (request.type) {
      case 'kill':
      case 'stop': {
        const job = await operations[request.type](this.who, request.jobId, request.version);
        return this.#say({ id, type: 'ack', job: showJob(job) });
      }
      case 'status':
        return this.#say({
          id,
          type: 'status',
          jobs: (await this.#jobs(request.jobId)).map(showJob),
        });
      case 'subscribe': {
        const { jobId, types, after } = request;
        const { place, begin } = await this.#subscriptions.open(id, { jobId, types, after });
        this.#say({ id, type: 'ack', place });
        return begin();
      }
      case 'unsubscribe':
        this.#subscriptions.end(request.subscription);
        return this.#say({ id, type: 'ack' });
      case 'ping':
        return this.#say({ id, type: 'pong', v: CONTROL_VERSION });
    }
  }

  async #jobs(jobId: string | undefined): Promise<readonly JobView[]> {
    const { operations } = this.#parts;
    if (jobId !== undefined) return [await operations.get(this.who, jobId)];
    const page = await operations.list(this.who, { states: UNFINISHED, limit: STATUS_JOBS_MAX });
    return page.jobs;
  }

  #refuse(id: string | null, thrown: unknown): void {
    this.#say({ id, type: 'error', error: this.#parts.showError(thrown) });
  }

  #say(message: ControlMessage): void {
    if (this.#isClosed) return;
    if (this.#transport.unsentBytes() > this.#limits.unsentBytesMax) this.close('tooSlow');
    else void this.#transport.send(JSON.stringify(message));
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KennelError('request.invalid', 'a message must be JSON');
  }
}

function idIn(text: string): string | null {
  try {
    return Addressed.parse(json(text)).id;
  } catch {
    return null;
  }
}
