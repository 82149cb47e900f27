import { type Clock, pause } from '../core/clock.ts';
import { isKennelError, KennelError, messageOf } from '../core/errors.ts';
import { readEvents } from './eventReader.ts';
import type { Fetch } from './serviceFetch.ts';

/** An event, as the service tells it. One with a place is in its log, and can be resumed from. */
export interface ServiceEvent {
  readonly place?: string;
  /** `job.moved`, `segment.stored`, …; `stream.dropped` and `stream.closed` are about the stream itself. */
  readonly type: string;
  /** ISO 8601. */
  readonly at: string;
  readonly tenantId?: string;
  readonly jobId?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventWishes {
  readonly jobId?: string | undefined;
  /** Types, with `*` at the end for anything. Default: all. */
  readonly types?: readonly string[] | undefined;
  /** A place to go on from. Default: from now. */
  readonly after?: string | undefined;
  /** Ends the stream: the iteration is over then. */
  readonly signal?: AbortSignal | undefined;
  /** Called once events come from now on, each time it is connected. */
  onOpen?(): void;
  /** Called when the connection was lost; it is opened again after so many milliseconds. */
  onLost?(why: string, delayMs: number): void;
}

export interface EventStreamOptions {
  /** The address below which the API is. */
  readonly base: string;
  /** That of the service: it throws what is refused. */
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** The service says something, if only a comment, every 15 s; three times that, and it is gone, milliseconds. */
const SILENCE_MS_MAX = 45_000;
/** Doubled with every try that fails, up to the other, milliseconds. A service is back within seconds; one that is away for an hour is asked twice a minute. */
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 30_000;

/**
 * Events as they happen, until the signal. A connection that is lost is opened again where it was: nothing that is in the log is
 * missed or told twice.
 *
 * @throws KennelError when the service refuses: at once the first time, whatever it is; later unless it passes. `event.gone` when the log
 *   no longer reaches back to where the stream was
 */
export async function* serviceEvents(
  options: EventStreamOptions,
  wishes: EventWishes,
): AsyncGenerator<ServiceEvent> {
  const { signal } = wishes;
  let place = wishes.after;
  let retryMs = RETRY_MS;
  let hasBegun = false;
  let failures = 0;
  while (!signal?.aborted) {
    let why = 'the service ended the stream';
    const watched = silenceWatch(options.clock, signal);
    try {
      const answer = await connect(options, { ...wishes, after: place }, watched.signal);
      hasBegun = true;
      wishes.onOpen?.();
      for await (const block of readEvents(watched.over(answer))) {
        failures = 0;
        place = block.lastId || place;
        retryMs = block.retryMs ?? retryMs;
        if (block.data !== undefined) yield eventOf(block.data);
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (isKennelError(error) && !(hasBegun && error.retryable)) throw error;
      why = messageOf(error);
    } finally {
      watched.stop();
    }
    if (signal?.aborted) return;
    const delayMs = Math.min(RETRY_MS_MAX, retryMs * 2 ** failures);
    failures += 1;
    wishes.onLost?.(why, delayMs);
    await pause(options.clock, delayMs, signal);
  }
}

async function connect(
  { base, fetch }: EventStreamOptions,
  { jobId, types = [], after }: EventWishes,
  signal: AbortSignal,
): Promise<Response> {
  const asked = new URL(
    `${base}${jobId === undefined ? '' : `/jobs/${encodeURIComponent(jobId)}`}/events`,
  );
  if (types.length > 0) asked.searchParams.set('types', types.join(','));
  const headers = {
    Accept: 'text/event-stream',
    ...(after !== undefined && { 'Last-Event-ID': after }),
  };
  return await fetch(asked, { headers, signal });
}

function eventOf(text: string): ServiceEvent {
  const event: unknown = JSON.parse(text);
  if (typeof event === 'object' && event !== null && 'type' in event && 'data' in event)
    // The service's own schema (`Event` in its OpenAPI document); it has been asked under this version of it.
    return event as ServiceEvent;
  throw new KennelError('service.unavailable', 'What the stream tells is no event of Kennel.');
}

/** A signal that follows the outer one, and aborts when a body says nothing for too long. */
function silenceWatch(clock: Clock, outer: AbortSignal | undefined) {
  const silent = new AbortController();
  let timer: unknown;
  const stop = () => clock.clearTimeout(timer);
  const again = () => {
    stop();
    timer = clock.setTimeout(
      () => silent.abort(new Error('the service has been silent for too long')),
      SILENCE_MS_MAX,
    );
  };
  return {
    signal: AbortSignal.any([silent.signal, ...(outer ? [outer] : [])]),
    stop,
    over: async function* ({ body }: Response): AsyncGenerator<Uint8Array> {
      if (body === null) return;
      again();
      for await (const bytes of body) {
        again();
        yield bytes;
      }
    },
  };
}
