import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ApiContext } from './apiEnv.ts';

/** A UUID with a prefix is what clients send; nobody needs more. */
const KEY_CHARACTERS_MAX = 255;

/** For the declaration of a route that makes something: `request: { headers: IdempotencyHeaders }`. */
export const IdempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(KEY_CHARACTERS_MAX)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .meta({
      description:
        'Sending the same again with the same key makes nothing new and answers as the first time. 422 for another body, 409 while the first is under way.',
    }),
});

/** What an `Idempotency-Key` stands for: SHA-256 over method, path and the body in canonical JSON, hex. */
export async function idempotencyOf(
  c: ApiContext,
): Promise<{ readonly key: string; readonly fingerprint: string } | undefined> {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return undefined;
  const body: unknown = c.req.header('content-type') === undefined ? null : await c.req.json();
  const asked = `${c.req.method} ${c.req.path} ${canonicalJson(body)}`;
  return { key, fingerprint: createHash('sha256').update(asked).digest('hex') };
}

/** The same text for the same data: members in the order of their names (UTF-16 units, as RFC 8785 has it), no spaces. */
export function canonicalJson(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? sorted(value) : value,
  );
}

const sorted = (value: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)),
  );
