import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { jsonAnswer, jsonBody, operation } from '../operation.ts';
import { Key, KeyId, KeyList, keyShown, MadeKey, NewKey, Rotation } from '../schemas/key.ts';
import { TenantId } from '../schemas/tenant.ts';

const OneKey = z.object({ keyId: KeyId });

const create = operation('POST /keys', {
  summary: 'Make a key',
  request: { body: jsonBody(NewKey) },
  answers: { 201: jsonAnswer(MadeKey, 'The key, which is shown this once') },
  errors: ['tenant.notFound'],
});

const list = operation('GET /keys', {
  summary: 'List keys',
  request: { query: z.object({ tenantId: TenantId.optional() }) },
  answers: { 200: jsonAnswer(KeyList, 'Keys, the newest first, without their secrets') },
});

const revoke = operation('DELETE /keys/{keyId}', {
  summary: 'Revoke a key',
  description: 'It is refused from now on. Revoking again changes nothing.',
  request: { params: OneKey },
  answers: { 200: jsonAnswer(Key, 'The revoked key') },
  errors: ['key.notFound'],
});

const rotate = operation('POST /keys/{keyId}/rotate', {
  summary: 'Replace a key',
  description:
    'Makes a new key with the same rights. The old one is accepted for as long as asked.',
  request: { params: OneKey, body: jsonBody(Rotation) },
  answers: { 201: jsonAnswer(MadeKey, 'The new key, which is shown this once') },
  errors: ['key.notFound'],
});

export const keyRoutes = ({ accessKeys }: Pick<ApiParts, 'accessKeys'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(create, async (c) => {
      const { tenantId, expiresAt, name, scopes } = c.req.valid('json');
      const { key, text } = await accessKeys.create({
        tenantId: tenantId ?? c.var.principal.tenantId,
        name,
        scopes,
        ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
      });
      return c.json({ key: keyShown(key), text }, 201);
    })
    .openapi(list, async (c) => {
      const keys = await accessKeys.list(c.req.valid('query').tenantId);
      return c.json({ keys: keys.map(keyShown) }, 200);
    })
    .openapi(revoke, async (c) =>
      c.json(keyShown(await accessKeys.revoke(c.req.valid('param').keyId)), 200),
    )
    .openapi(rotate, async (c) => {
      const { overlapSeconds } = c.req.valid('json');
      const { keyId } = c.req.valid('param');
      const { key, text } = await accessKeys.rotate(keyId, overlapSeconds * 1_000);
      return c.json({ key: keyShown(key), text }, 201);
    });
