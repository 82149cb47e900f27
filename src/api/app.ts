import { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { KennelError } from '../core/errors.ts';
import type { ApiEnv } from './apiEnv.ts';
import type { ApiParts } from './apiParts.ts';
import { answerFailures, errorAnswer } from './errorAnswer.ts';
import { validationHook } from './invalidRequest.ts';
import { authentication } from './middleware/authentication.ts';
import { requestIds } from './middleware/requestIds.ts';
import { keyRoutes } from './routes/keys.ts';
import { meRoutes } from './routes/me.ts';
import { tenantRoutes } from './routes/tenants.ts';

export const API_BASE = '/api/v1';

/** The API of a service. It decides nothing: it reads requests, asks its parts, and shows what they say. */
export function apiApp(parts: ApiParts) {
  const root = new OpenAPIHono<ApiEnv>({ defaultHook: validationHook });
  root.onError(answerFailures(parts.log));
  root.notFound((c) =>
    errorAnswer(c, new KennelError('route.notFound', `there is nothing at ${c.req.path}`)),
  );
  root.use(requestIds());
  root.use(
    methodNotAllowed({
      app: root,
      onMethodNotAllowed: (c, methods) => {
        c.header('Allow', methods.join(', '));
        const message = `${c.req.method} is not possible here; ${methods.join(', ')} is`;
        return errorAnswer(c, new KennelError('method.notAllowed', message));
      },
    }),
  );
  root.use(`${API_BASE}/*`, authentication({ ...parts, base: API_BASE }));
  return root.route(API_BASE, nouns(parts));
}

/** Every noun of the first version. Their types are what `hc` knows. */
const nouns = (parts: ApiParts) =>
  new OpenAPIHono<ApiEnv>()
    .route('/', meRoutes())
    .route('/', keyRoutes(parts))
    .route('/', tenantRoutes(parts));

/** For `hc<ApiType>(url)` of `hono/client`. */
export type ApiType = ReturnType<typeof apiApp>;
