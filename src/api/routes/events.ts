import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { EventWish } from '../../jobs/eventStream.ts';
import { streamedEvent } from '../../jobs/streamedEvent.ts';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { operation } from '../operation.ts';
import { eventResponse } from '../realtime/eventResponse.ts';
import { EventHeaders, EventQuery, EventText } from '../schemas/event.ts';
import { OneJob } from '../schemas/job.ts';

const description = `Server-sent events, for \`EventSource\` and curl. Events of the log have an id, which is where
\`Last-Event-ID\` (or \`after\`) resumes; nothing of the log is missed between. What has no id (\`segment.stored\`,
\`job.ended\`, …) is told to whoever listens at the time. \`stream.dropped\` says how many of those a slow reader missed;
\`stream.closed\` is the last event, with a code: come back with the last id.`;

const answers = {
  200: {
    description: 'Events, without end',
    content: { 'text/event-stream': { schema: EventText } },
  },
};
const query = EventQuery;
const headers = EventHeaders;

const all = operation('GET /events', {
  summary: 'Listen to everything',
  description,
  request: { query, headers },
  answers,
  errors: ['event.gone', 'service.unavailable'],
});

const ofJob = operation('GET /jobs/{jobId}/events', {
  summary: 'Listen to a job',
  description,
  request: { params: OneJob, query, headers },
  answers,
  errors: ['event.gone', 'job.notFound', 'service.unavailable'],
});

export const eventRoutes = ({ realtime }: Pick<ApiParts, 'realtime'>) => {
  const { streams, clock } = realtime;
  const app = new OpenAPIHono<ApiEnv>();
  app.openAPIRegistry.registerComponent('schemas', 'Event', eventSchema());
  return app
    .openapi(all, async (c) => {
      const wish = wishOf(c.req.valid('query'), c.req.valid('header'));
      return eventResponse(c, await streams.open(c.var.principal, wish), clock);
    })
    .openapi(ofJob, async (c) => {
      const { jobId } = c.req.valid('param');
      const wish = { jobId, ...wishOf(c.req.valid('query'), c.req.valid('header')) };
      return eventResponse(c, await streams.open(c.var.principal, wish), clock);
    });
};

/** No route answers with it as such: it is inside of the stream. */
function eventSchema(): Parameters<OpenAPIHono['openAPIRegistry']['registerComponent']>[2] {
  const { $schema: _draft, id: _name, ...schema } = z.toJSONSchema(streamedEvent);
  // JSON Schema 2020-12, which is what OpenAPI 3.1 has; the library's type knows 3.0 as well.
  return schema as ReturnType<typeof eventSchema>;
}

const wishOf = (
  { after, types }: { readonly after?: string | undefined; readonly types?: string | undefined },
  { 'last-event-id': last }: { readonly 'last-event-id'?: string | undefined },
): EventWish => ({ after: last ?? after, types: types?.split(',') });
