import type { CliContext } from '../context.ts';
import { columns } from '../lines/columns.ts';
import { wholeNumber } from '../numbers.ts';
import { findJob } from '../remote/findJob.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { showList } from '../remote/show.ts';

interface WebhooksOptions extends ServerOptions {
  readonly json?: boolean;
}

interface OneWebhook extends WebhooksOptions {
  readonly id: string;
}

export interface NewWebhookOptions extends WebhooksOptions {
  readonly url: string;
  readonly type: readonly string[];
  readonly job?: string;
}

const DELIVERIES_MAX = 200;

/** `kennel webhooks add URL`: the secret alone goes to standard output. */
export async function addWebhook(context: CliContext, options: NewWebhookOptions): Promise<number> {
  const { terminal } = context;
  const { url, type: types, job, json } = options;
  const client = await demandServer(context, options);
  const made = await client.api.webhooks.$post({
    json: {
      url,
      types: [...types],
      ...(job !== undefined && { jobId: await findJob(client, job) }),
    },
  });
  const { webhook, secret } = await made.json();
  if (json) terminal.out(JSON.stringify({ webhook, secret }));
  else {
    terminal.err(`webhook ${webhook.id}; what it is signed with, which is not shown again:`);
    terminal.out(secret);
  }
  return 0;
}

/** `kennel webhooks list` */
export async function listWebhooks(context: CliContext, options: WebhooksOptions): Promise<number> {
  const { api } = await demandServer(context, options);
  const { webhooks } = await (await api.webhooks.$get({ query: {} })).json();
  showList(context.terminal, webhooks, {
    json: options.json,
    lines: (all) =>
      columns([
        ['ID', 'STATE', 'WAITING', 'DEAD', 'TYPES', 'URL'],
        ...all.map(({ id, enabled, disabledWhy, waiting, dead, types, url }) => [
          ...[id, enabled ? 'on' : `off${disabledWhy === undefined ? '' : ` (${disabledWhy})`}`],
          ...[String(waiting), String(dead), types.join(',') || '*', url],
        ]),
      ]),
  });
  return 0;
}

/** `kennel webhooks remove ID` */
export async function removeWebhook(context: CliContext, options: OneWebhook): Promise<number> {
  const { api } = await demandServer(context, options);
  await api.webhooks[':webhookId'].$delete({ param: { webhookId: options.id } });
  context.terminal.out(`${options.id} is told nothing any more`);
  return 0;
}

/** `kennel webhooks deliveries ID`: newest first. */
export async function listDeliveries(
  context: CliContext,
  options: OneWebhook & { readonly state?: string; readonly limit: string },
): Promise<number> {
  const { id: webhookId, state, limit } = options;
  const { api } = await demandServer(context, options);
  const query = {
    limit: String(wholeNumber('--limit', limit, [1, DELIVERIES_MAX])),
    // The service says which there are.
    ...(state !== undefined && { state: state as 'dead' }),
  };
  const answer = await api.webhooks[':webhookId'].deliveries.$get({ param: { webhookId }, query });
  const { deliveries } = await answer.json();
  showList(context.terminal, deliveries, {
    json: options.json,
    lines: (all) =>
      columns([
        ['ID', 'STATE', 'TRIES', 'TYPE', 'CREATED', 'LAST'],
        ...all.map((delivery) => [
          ...[delivery.id, delivery.state, String(delivery.attempts), delivery.type],
          ...[delivery.createdAt, delivery.lastError ?? String(delivery.lastStatus ?? '')],
        ]),
      ]),
  });
  return 0;
}

/** `kennel webhooks redeliver ID DELIVERY` */
export async function redeliver(
  context: CliContext,
  options: OneWebhook & { readonly delivery: string },
): Promise<number> {
  const { id: webhookId, delivery: deliveryId, json } = options;
  const { api } = await demandServer(context, options);
  const answer = await api.webhooks[':webhookId'].deliveries[':deliveryId'].redeliver.$post({
    param: { webhookId, deliveryId },
  });
  const delivery = await answer.json();
  context.terminal.out(json ? JSON.stringify(delivery) : `${delivery.id} is on its way again`);
  return 0;
}
