import { OpenAPIHono } from '@hono/zod-openapi';
import type { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { KennelError } from '../core/errors.ts';
import { type ApiEnv, principalIf } from './apiEnv.ts';
import type { ApiParts } from './apiParts.ts';
import { callerAddress, callerNetwork } from './callerAddress.ts';
import { answerFailures, errorAnswer } from './errorAnswer.ts';
import { validationHook } from './invalidRequest.ts';
import { accessLog } from './middleware/accessLog.ts';
import { authentication } from './middleware/authentication.ts';
import { bodyLimit } from './middleware/bodyLimit.ts';
import { caching } from './middleware/caching.ts';
import { headLength } from './middleware/headLength.ts';
import { localGuard } from './middleware/localGuard.ts';
import { originList } from './middleware/originList.ts';
import { rateLimit } from './middleware/rateLimit.ts';
import { requestIds } from './middleware/requestIds.ts';
import { safeHeaders } from './middleware/safeHeaders.ts';
import { declareKeys, openapiDocument } from './openapiDocument.ts';
import { controlRoutes } from './routes/control.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { eventRoutes } from './routes/events.ts';
import { jobRoutes } from './routes/jobs.ts';
import { keyRoutes } from './routes/keys.ts';
import { meRoutes } from './routes/me.ts';
import { nodeRoutes } from './routes/node.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { rtcRoutes } from './routes/rtc.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { webhookRoutes } from './routes/webhooks.ts';

export const API_BASE = '/api/v1';

/** The API of a service. It decides nothing: it reads requests, asks its parts, and shows what they say. */
export function apiApp(parts: ApiParts) {
  const root = new OpenAPIHono<ApiEnv>({ defaultHook: validationHook });
  root.onError(answerFailures(parts.log));
  root.notFound((c) =>
    errorAnswer(c, new KennelError('route.notFound', `there is nothing at ${c.req.path}`)),
  );
  throughDoor(root, parts);
  declareKeys(root);
  return root.route(API_BASE, nouns(parts)).route(
    API_BASE,
    documentationRoutes(() => openapiDocument(root, parts.version)),
  );
}

/** Every noun of the first version. Their types are what `hc` knows. */
const nouns = (parts: ApiParts) =>
  new OpenAPIHono<ApiEnv>()
    .route('/', meRoutes())
    .route('/', keyRoutes(parts))
    .route('/', tenantRoutes(parts))
    .route('/', jobRoutes(parts))
    .route('/', recordingRoutes(parts))
    .route('/', webhookRoutes(parts))
    .route('/', scheduleRoutes(parts))
    .route('/', nodeRoutes(parts))
    .route('/', eventRoutes(parts))
    .route('/', controlRoutes(parts))
    .route('/', rtcRoutes(parts));

/** What every request passes, in this order: what is cheap to refuse is refused first. */
function throughDoor(root: Hono<ApiEnv>, parts: ApiParts): void {
  const { door, limits } = parts;
  const below = `${API_BASE}/*`;
  root.use(requestIds(), accessLog(parts), safeHeaders(), headLength(), caching());
  root.use(below, originList(door.origins), localGuard(door));
  root.use(
    below,
    rateLimit('address', limits.requestsPerAddressAndMinute, (c) =>
      callerNetwork(callerAddress(c)),
    ),
  );
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
  root.use(below, authentication({ ...parts, base: API_BASE }));
  root.use(
    below,
    rateLimit('key', limits.requestsPerKeyAndMinute, (c) => principalIf(c)?.keyId),
  );
  root.use(below, bodyLimit(limits.bodyBytesMax));
}

/** For `hc<ApiType>(url)` of `hono/client`. */
export type ApiType = ReturnType<typeof apiApp>;
