import { upgradeWebSocket } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { KennelError } from '../../core/errors.ts';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { isOfForeignPage } from '../middleware/localGuard.ts';
import { jsonAnswer, operation } from '../operation.ts';
import { controlSocket } from '../realtime/controlSocket.ts';
import { Instant, isoOf } from '../schemas/instant.ts';
import { text } from '../schemas/text.ts';

const Ticket = z
  .object({ ticket: z.string(), expiresAt: Instant })
  .meta({ id: 'Ticket', description: 'Good once, for whoever asked for it' });

const tickets = operation('POST /tickets', {
  summary: 'Get a ticket',
  description:
    'For browsers, which can send no key with a WebSocket or an `EventSource`: `?ticket=` stands for the key of this request, once, within 30 s.',
  answers: { 201: jsonAnswer(Ticket, 'The ticket') },
});

const control = operation('GET /control', {
  summary: 'Control by WebSocket',
  description:
    'Kill, stop, ask and listen over one connection: JSON text frames, each request answered once (docs/guides/realtime.md).',
  request: { query: z.object({ ticket: text(100).optional() }) },
  answers: { 101: { description: 'From here on, frames' } },
});

export const controlRoutes = ({ realtime, door }: Pick<ApiParts, 'realtime' | 'door'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(tickets, (c) => {
      const { ticket, expiresAt } = realtime.tickets.issue(c.var.principal);
      return c.json({ ticket, expiresAt: isoOf(expiresAt) }, 201);
    })
    .openapi(control, async (c) => {
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
        throw new KennelError('request.invalid', 'this is a WebSocket: ask for an upgrade to one');
      // CORS does not know WebSockets: every page could open one.
      if (isOfForeignPage(c, { host: new URL(c.req.url).host, origins: door.origins }))
        throw new KennelError('access.forbidden', 'pages of this origin may not');
      const { principal } = c.var;
      realtime.sessions.assertRoom(principal);
      const events = controlSocket(principal, realtime.sessions, realtime.clock);
      // What it answers is a sign for the server, and goes to nobody.
      return (await upgradeWebSocket(c, events)) as unknown as never;
    });
