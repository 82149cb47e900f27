import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { KennelError } from '../../core/errors.ts';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { operation } from '../operation.ts';

const SDP = 'application/sdp';
const Sdp = z.string().meta({ description: 'SDP (RFC 8866) of one data channel' });

const offer = operation('POST /rtc', {
  summary: 'Control by WebRTC',
  description:
    'The offer of a data channel with the label `control`, all in one message; the answer has all addresses. What is spoken there is what `GET /control` speaks, by whoever sends this.',
  request: { body: { required: true, content: { [SDP]: { schema: Sdp } } } },
  answers: {
    201: {
      description: 'The answer; `Location` is the session',
      headers: z.object({ location: z.string() }),
      content: { [SDP]: { schema: Sdp } },
    },
  },
  errors: ['tool.missing', 'service.unavailable'],
});

const end = operation('DELETE /rtc/{sessionId}', {
  summary: 'End a WebRTC session',
  request: { params: z.object({ sessionId: z.uuid() }) },
  answers: { 204: { description: 'It is closed' } },
  errors: ['route.notFound'],
});

export const rtcRoutes = ({ realtime }: Pick<ApiParts, 'realtime'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(offer, async (c) => {
      const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (type !== SDP) throw new KennelError('request.invalid', `an offer must be sent as ${SDP}`);
      const { id, sdp } = await realtime.rtc.answer(c.var.principal, await c.req.text());
      c.header('Location', `${c.req.path.replace(/\/$/, '')}/${id}`);
      return c.body(sdp, 201, { 'Content-Type': SDP });
    })
    .openapi(end, async (c) => {
      await realtime.rtc.end(c.var.principal, c.req.valid('param').sessionId);
      return c.body(null, 204);
    });
