import type { MiddlewareHandler } from 'hono';
import { isKennelError, KennelError } from '../../core/errors.ts';

/**
 * Refuses bodies that are longer, also such as do not say beforehand how long they are. Hono's own middleware makes a new
 * `Request` of what it read, which is none that Node's `Request` takes (@hono/node-server 2.1.8 without its own globals): every
 * chunked body would fail.
 */
export const bodyLimit =
  (bytesMax: number): MiddlewareHandler =>
  async (c, next) => {
    const told = c.req.header('content-length');
    if (told !== undefined && c.req.header('transfer-encoding') === undefined) {
      // Node lets through no more than was told.
      if (Number(told) > bytesMax) throw tooLarge(bytesMax);
    } else if (c.req.raw.body) {
      const whole = await readAtMost(c.req.raw.body, bytesMax);
      // Handlers and validators read it from here; what is in the cache are promises, whatever the type says.
      c.req.bodyCache.arrayBuffer = Promise.resolve(whole) as unknown as ArrayBuffer;
    }
    await next();
  };

async function readAtMost(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      bytes += part.byteLength;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      parts.push(part);
    }
  } catch (error) {
    if (isKennelError(error)) throw error;
    throw new KennelError('request.invalid', 'the body ended before its end', { cause: error });
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole.buffer;
}

const tooLarge = (bytesMax: number) =>
  new KennelError('request.tooLarge', `a body may have ${bytesMax} bytes`, {
    details: { bytesMax },
  });
