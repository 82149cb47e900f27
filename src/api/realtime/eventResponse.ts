import { type Clock, pause } from '../../core/clock.ts';
import type { EventListener } from '../../jobs/eventListener.ts';
import type { OutgoingEvent } from '../../jobs/streamedEvent.ts';
import type { ApiContext } from '../apiEnv.ts';

/** Proxies close what is silent for longer than half a minute, or more. */
const PING_EVERY_MS = 15_000;
/** Clients come back after so long when the connection is lost, milliseconds. */
const RETRY_MS = 2_000;
/** Who has not taken the end of a stream by then is cut off, milliseconds. */
const END_TAKEN_WITHIN_MS = 5_000;

const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  // nginx would keep events back until it has a page of them.
  'X-Accel-Buffering': 'no',
};

/**
 * A stream of events as browsers read it (`EventSource`; HTML standard, 9.2): the id is the place in the log, the event is its
 * type. It is read from the listener as the network takes it.
 */
export function eventResponse(c: ApiContext, listener: EventListener, clock: Clock): Response {
  const encoder = new TextEncoder();
  const over = new AbortController();
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        // An id without data is remembered by clients, and tells them nothing.
        controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\nid: ${listener.place}\n\n`));
      },
      pull: async (controller) => {
        const events = await listener.next(PING_EVERY_MS);
        if (events === undefined) {
          over.abort();
          controller.close();
          return;
        }
        const text = events.map(frame).join('');
        controller.enqueue(
          encoder.encode(text === '' ? `: ping\nid: ${listener.place}\n\n` : text),
        );
      },
      cancel: () => {
        over.abort();
        listener.close('service.unavailable');
      },
    },
    { highWaterMark: 1 },
  );
  void cutOff(c, { listener, clock, over: over.signal });
  return c.body(body, 200, HEADERS);
}

const frame = ({ text, event: { place, type } }: OutgoingEvent): string =>
  `${place === undefined ? '' : `id: ${place}\n`}event: ${type}\ndata: ${text}\n\n`;

/** A stream that ended while its client reads nothing would stay for as long as the connection does. */
async function cutOff(
  c: ApiContext,
  {
    listener,
    clock,
    over,
  }: { readonly listener: EventListener; readonly clock: Clock; readonly over: AbortSignal },
): Promise<void> {
  await listener.closed;
  await pause(clock, END_TAKEN_WITHIN_MS, over);
  if (!over.aborted) outgoingOf(c)?.destroy();
}

/** Without a server there are no bindings at all, whatever their type says. */
const outgoingOf = ({ env }: { readonly env?: ApiContext['env'] }) => env?.outgoing;
