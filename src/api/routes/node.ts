import { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { jsonAnswer, operation } from '../operation.ts';
import {
  CapacityShown,
  ConfigurationShown,
  capacityShown,
  configurationShown,
  WatchdogList,
  watchdogShown,
} from '../schemas/node.ts';

const watchdogs = operation('GET /watchdogs', {
  summary: 'Show what watches the recordings',
  description:
    'Of each Big Dog and each layer: whether it runs, when it last saw progress, looks without any, recoveries, and how long these took.',
  answers: { 200: jsonAnswer(WatchdogList, 'One entry for each job that is watched now') },
});

const capacity = operation('GET /capacity', {
  summary: 'Show how much the node can carry',
  answers: { 200: jsonAnswer(CapacityShown, 'Each resource: limit, used, expected') },
});

const config = operation('GET /config', {
  summary: 'Show the configuration',
  description: 'Every setting with where its value came from. Secrets are redacted.',
  answers: { 200: jsonAnswer(ConfigurationShown, 'All settings') },
});

/** The node itself: how it is watched, what it can carry, how it is set. */
export const nodeRoutes = ({
  operations,
  capacity: measured,
  configuration,
}: Pick<ApiParts, 'operations' | 'capacity' | 'configuration'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(watchdogs, async (c) => {
      const reports = await operations.watchdogs(c.var.principal);
      return c.json({ watchdogs: reports.map(watchdogShown) }, 200);
    })
    .openapi(capacity, (c) => c.json(capacityShown(measured.report()), 200))
    .openapi(config, (c) => c.json(configurationShown(configuration()), 200));
