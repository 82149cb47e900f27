import { ERROR_CODES, KennelError, type KennelErrorCode } from '../core/errors.ts';
import type { ServiceEvent } from './eventStream.ts';

/** The version of the control protocol that this client speaks. */
const PROTOCOL = 1;

/** What a job looks like: as `GET /jobs/{jobId}` shows it. */
export type ControlledJob = Readonly<Record<string, unknown>> & { readonly id: string };

/** A connection over which jobs are watched and ended with as little delay as the network has. */
export interface ControlChannel {
  /** Resolves when the service has heard it. */
  kill(jobId: string): Promise<ControlledJob>;
  stop(jobId: string): Promise<ControlledJob>;
  /** One job, or the newest that have not ended. */
  status(jobId?: string): Promise<readonly ControlledJob[]>;
  /** Resolves with how to end it, once events are told. */
  subscribe(
    wish: { readonly jobId?: string; readonly types?: readonly string[]; readonly after?: string },
    listener: (event: ServiceEvent) => void,
  ): Promise<() => Promise<void>>;
  /** Resolves when the connection is gone, with why. Whatever is asked after that fails. */
  readonly closed: Promise<string>;
  close(): void;
}

/** Any WebSocket of the platform. */
type Socket = Pick<WebSocket, 'send' | 'close' | 'addEventListener'>;

interface Answer {
  readonly id?: string | null;
  readonly type: string;
  readonly job?: ControlledJob;
  readonly jobs?: readonly ControlledJob[];
  readonly event?: ServiceEvent;
  readonly error?: { readonly code: string; readonly message: string; readonly details?: object };
}

/**
 * Speaks the control protocol over a WebSocket that is open, or is being opened.
 *
 * @throws KennelError `service.unavailable` when it cannot be opened; what the service says to a request
 */
export async function controlChannel(socket: Socket): Promise<ControlChannel> {
  const waiting = new Map<string, PromiseWithResolvers<Answer>>();
  const listeners = new Map<string, (event: ServiceEvent) => void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<string>();
  const opened = Promise.withResolvers<void>();
  socket.addEventListener('open', () => opened.resolve());
  socket.addEventListener('close', ({ code, reason }) => {
    const why = `the connection was closed (${code}${reason === '' ? '' : `, ${reason}`})`;
    close(why);
    const gone = new KennelError('service.unavailable', `No answer: ${why}.`, { retryable: true });
    opened.reject(gone);
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  });
  socket.addEventListener('message', ({ data }) => {
    // Everything that the protocol says is JSON of this shape.
    const answer = JSON.parse(String(data)) as Answer;
    const id = answer.id ?? '';
    if (answer.type === 'event') return answer.event && listeners.get(id)?.(answer.event);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (answer.error) asked?.reject(failureOf(answer.error));
    else asked?.resolve(answer);
  });
  await opened.promise;

  let asked = 0;
  const ask = (request: object, id = String(++asked)): Promise<Answer> => {
    const answer = Promise.withResolvers<Answer>();
    waiting.set(id, answer);
    socket.send(JSON.stringify({ v: PROTOCOL, id, ...request }));
    return answer.promise;
  };
  const jobOf = ({ job }: Answer): ControlledJob => {
    if (job) return job;
    throw new KennelError('service.unavailable', 'The service acknowledged without a job.');
  };
  return {
    kill: async (jobId) => jobOf(await ask({ type: 'kill', jobId })),
    stop: async (jobId) => jobOf(await ask({ type: 'stop', jobId })),
    status: async (jobId) => (await ask({ type: 'status', ...(jobId && { jobId }) })).jobs ?? [],
    subscribe: async (wish, listener) => {
      const id = String(++asked);
      listeners.set(id, listener);
      try {
        await ask({ type: 'subscribe', ...wish }, id);
      } catch (error) {
        listeners.delete(id);
        throw error;
      }
      return async () => {
        listeners.delete(id);
        await ask({ type: 'unsubscribe', subscription: id });
      };
    },
    closed,
    close: () => socket.close(),
  };
}

function failureOf({ code, message, details }: NonNullable<Answer['error']>): KennelError {
  const known = isErrorCode(code) ? code : 'request.invalid';
  return new KennelError(known, message, { details: { ...details } });
}

const isErrorCode = (word: string): word is KennelErrorCode => Object.hasOwn(ERROR_CODES, word);
