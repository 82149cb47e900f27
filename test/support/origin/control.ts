import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { send } from './answer.ts';
import { Fault } from './faults.ts';
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

/** PUT /control: the whole origin is gone for so many milliseconds. */
const OriginOrder = z.strictObject({ downMs: z.number().positive() });

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
    const problem = await obey(origin, name, order);
    await reply(response, problem === undefined ? 200 : 400, { problem });
    return;
  }
  const stream = origin.find(name);
  if (stream === undefined) await reply(response, 404, { problem: 'no such stream' });
  else await reply(response, 200, stream.truth());
}

async function obey(origin: Origin, name: string, order: unknown): Promise<string | undefined> {
  if (name === '') {
    const parsed = OriginOrder.safeParse(order);
    if (!parsed.success) return z.prettifyError(parsed.error);
    // The answer goes out before the connection dies.
    setTimeout(() => void origin.down(parsed.data.downMs), 10);
    return undefined;
  }
  const parsed = StreamOrder.safeParse(order);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const { options, heal, fault, renumber, end } = parsed.data;
  const stream = options === undefined ? origin.find(name) : await origin.add(name, options);
  if (stream === undefined) return 'no such stream; give options to start it';
  if (heal) stream.heal();
  for (const one of [fault ?? []].flat()) stream.fault(one);
  if (renumber !== undefined) stream.renumber(renumber);
  if (end) stream.end();
  return undefined;
}

async function reply(response: ServerResponse, status: number, value: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await send(response, { status, headers, body: `${JSON.stringify(value)}\n` });
}
