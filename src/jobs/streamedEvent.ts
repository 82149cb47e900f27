import { z } from 'zod';
import type { EventFilter, LoggedEvent } from './eventLog.ts';
import { LOGGED_TYPES } from './eventSchemas.ts';
import type { KennelEvent } from './events.ts';

/**
 * An event as listeners hear it, over whatever channel. One that has a place is in the log, and can be resumed from; one that has
 * none is told once, to whoever listens.
 */
export const streamedEvent = z
  .object({
    place: z.string().optional().meta({ description: 'Where to resume; absent: not in the log' }),
    type: z.string().meta({ description: '`job.moved`, `segment.stored`, … or `stream.…`' }),
    at: z.iso.datetime(),
    tenantId: z.string().optional(),
    jobId: z.string().optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event', description: 'Something that happened' });
export type StreamedEvent = z.infer<typeof streamedEvent>;

/** Sent to one receiver alone, because somebody asked for it there. */
const NOT_STREAMED = 'webhook.ping';
const LOGGED: ReadonlySet<string> = new Set(LOGGED_TYPES);

/** An event on its way to any number of listeners: its JSON is made once. */
export class OutgoingEvent {
  readonly event: StreamedEvent;
  #text: string | undefined;

  constructor(event: StreamedEvent) {
    this.event = event;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.event);
    return this.#text;
  }
}

export const outgoingLogged = ({ at, ...rest }: LoggedEvent): OutgoingEvent =>
  new OutgoingEvent({ ...rest, data: { ...rest.data }, at: new Date(at).toISOString() });

/** Of what is told in memory, only what the log does not tell as well. */
export const isPassing = ({ type }: KennelEvent): boolean => !LOGGED.has(type);

export function outgoingPassing(told: KennelEvent, tenantId: string): OutgoingEvent {
  const { v: _version, type, at, jobId, ...data } = told;
  return new OutgoingEvent({ type, at, tenantId, jobId, data });
}

/** The same rule as `EventLog.after` has. */
export function isWanted(
  { event }: OutgoingEvent,
  { tenantId, jobId, types }: EventFilter,
): boolean {
  if (event.type === NOT_STREAMED) return false;
  if (tenantId !== undefined && event.tenantId !== tenantId) return false;
  if (jobId !== undefined && event.jobId !== jobId) return false;
  if (types === undefined || types.length === 0) return true;
  return types.some((type) =>
    type.endsWith('*') ? event.type.startsWith(type.slice(0, -1)) : event.type === type,
  );
}
