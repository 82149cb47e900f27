import { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../apiEnv.ts';
import { jsonAnswer, operation } from '../operation.ts';
import { Me } from '../schemas/key.ts';

const get = operation('GET /me', {
  summary: 'Who am I',
  answers: { 200: jsonAnswer(Me, 'Whose key this is, and what it may do') },
});

export const meRoutes = () =>
  new OpenAPIHono<ApiEnv>().openapi(get, (c) => {
    const { tenantId, keyId, scopes } = c.var.principal;
    return c.json({ tenantId, ...(keyId !== undefined && { keyId }), scopes: [...scopes] }, 200);
  });
