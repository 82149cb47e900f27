import { createHash } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import { KennelError } from '../../core/errors.ts';
import type { ApiContext, ApiEnv } from '../apiEnv.ts';
import { isAsset, readAsset, typeOfAsset } from '../documentation/assets.ts';
import { PAGE, PAGE_POLICY, START } from '../documentation/page.ts';

/**
 * `/openapi.json`, and `/docs`, which shows it. They describe the API and are no part of it: they are not in the document.
 *
 * @param document the OpenAPI document, asked for when everything is mounted
 */
export function documentationRoutes(document: () => unknown) {
  const json = once(() => tagged(JSON.stringify(document())));
  return new OpenAPIHono<ApiEnv>()
    .get('/openapi.json', (c) => answer(c, json(), 'application/json'))
    .get('/docs', (c) => {
      c.header('Content-Security-Policy', PAGE_POLICY);
      return answer(c, tagged(PAGE), 'text/html; charset=utf-8');
    })
    .get('/docs/:file', async (c) => {
      const name = c.req.param('file');
      if (name === 'start.js') return answer(c, tagged(START), 'text/javascript; charset=utf-8');
      const bytes = isAsset(name) ? await readAsset(name) : undefined;
      if (!bytes || !isAsset(name)) {
        throw new KennelError('route.notFound', `the documentation has no ${name}`);
      }
      return answer(c, tagged(bytes), typeOfAsset(name));
    });
}

interface Tagged {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly tag: string;
}

const tagged = (body: Tagged['body']): Tagged => ({
  body,
  tag: `"${createHash('sha256').update(body).digest('base64url')}"`,
});

const answer = (c: ApiContext, { body, tag }: Tagged, type: string) =>
  c.body(body, 200, { 'Content-Type': type, ETag: tag });

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
