import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from './apiEnv.ts';

type Document = ReturnType<OpenAPIHono<ApiEnv>['getOpenAPI31Document']>;

const DESCRIPTION = `Kennel records live streams unattended and proves what it has.

Failures all look alike: \`{"error": {"code", "message", "details", "request_id"}}\`, or RFC 9457 for whoever accepts
\`application/problem+json\`. Programs go by \`code\`. Moments are ISO 8601; everything else has its unit in its name.
\`ETag\` and \`If-Match\` hold changes together with what was read. \`Idempotency-Key\` makes it safe to send again.`;

/** The OpenAPI 3.1 document of everything that is mounted on `app`. */
export function openapiDocument(app: OpenAPIHono<ApiEnv>, version: string): Document {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Kennel',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
  });
}

/** How keys are sent: to be called before routes are mounted. */
export function declareKeys(app: OpenAPIHono<ApiEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'kn_<id>_<secret>',
    description: 'Made by `POST /keys`. A service that listens on loopback alone may demand none.',
  });
}
