import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { send } from './answer.ts';
import { DoorOptions } from './door.ts';
import { Fault } from './faults.ts';
import { MasterOptions } from './masterText.ts';
import type { Origin } from './origin.ts';
import { Renumber, StreamOptions } from './streamOptions.ts';

/** PUT /control/<stream>: everything it names happens, in this order. */
const StreamOrder = z.strictObject({
  /** Starts the stream, anew if it runs already. */
  options: StreamOptions.optional(),
  heal: z.literal(true).optional(),
  fault: Fault.or(z.array(Fault)).optional(),
  renumber: Renumber.optional(),
  end: z.literal(true).optional(),
});

/** PUT /control: everything it names happens, in this order. The answer has the addresses of the doors. */
const OriginOrder = z.strictObject({
  /** Opens doors (see door.ts). */
  doors: z.record(z.string(), DoorOptions).default({}),
  /** Adds master playlists, at `/<name>.m3u8`. */
  masters: z.record(z.string(), MasterOptions).default({}),
  /** The whole origin is gone for so many milliseconds. */
  downMs: z.number().positive().optional(),
});

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The stream's name; empty for the origin itself. */
  readonly name: string;
}

/** The remote form of what tests in the same process call directly. GET /control/<stream> answers with its truth. */
export async function control(
  origin: Origin,
  { request, response, name }: Exchange,
): Promise<void> {
  if (request.method === 'PUT') {
    const order: unknown = await json(request);
    const outcome = await (name === '' ? obeyAll(origin, order) : obey(origin, name, order));
    await reply(response, 'problem' in outcome ? 400 : 200, outcome);
    return;
  }
  const stream = origin.find(name);
  if (stream === undefined) await reply(response, 404, { problem: 'no such stream' });
  else await reply(response, 200, stream.truth());
}

type Outcome = { readonly problem: string } | Readonly<Record<string, unknown>>;

async function obeyAll(origin: Origin, order: unknown): Promise<Outcome> {
  const parsed = OriginOrder.safeParse(order);
  if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
  const { doors, masters, downMs } = parsed.data;
  const urls: Record<string, string> = {};
  for (const [door, options] of Object.entries(doors)) {
    urls[door] = (await origin.open(door, options)).url;
  }
  for (const [master, options] of Object.entries(masters)) origin.addMaster(master, options);
  // The answer goes out before the connection dies.
  if (downMs !== undefined) setTimeout(() => void origin.down(downMs), 10);
  return { doors: urls };
}

async function obey(origin: Origin, name: string, order: unknown): Promise<Outcome> {
  const parsed = StreamOrder.safeParse(order);
  if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
  const { options, heal, fault, renumber, end } = parsed.data;
  const stream = options === undefined ? origin.find(name) : await origin.add(name, options);
  if (stream === undefined) return { problem: 'no such stream; give options to start it' };
  if (heal) stream.heal();
  for (const one of [fault ?? []].flat()) stream.fault(one);
  if (renumber !== undefined) stream.renumber(renumber);
  if (end) stream.end();
  return {};
}

async function reply(response: ServerResponse, status: number, value: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await send(response, { status, headers, body: `${JSON.stringify(value)}\n` });
}
