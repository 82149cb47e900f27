import type { KennelClient } from '../../client/kennelClient.ts';
import type { CliContext } from '../context.ts';
import { jobLine } from '../lines/jobLines.ts';
import { findJob } from './findJob.ts';
import { follow } from './follow.ts';
import type { JobBody } from './jobBody.ts';
import { demandServer, type ServerOptions } from './server.ts';

/** The options of every command that changes a job. */
export interface OrderOptions extends ServerOptions {
  readonly id: string;
  readonly json?: boolean;
  readonly follow?: boolean;
}

/** Has a service do something with a job, prints the job as it is then, and with `--follow` tells of it until it has ended. */
export async function order(
  context: CliContext,
  options: OrderOptions,
  give: (
    client: KennelClient,
    param: { readonly jobId: string },
  ) => Promise<{ readonly json: () => Promise<JobBody> }>,
): Promise<number> {
  const client = await demandServer(context, options);
  const jobId = await findJob(client, options.id);
  const job = await (await give(client, { jobId })).json();
  context.terminal.out(options.json ? JSON.stringify(job) : jobLine(job));
  if (!options.follow) return 0;
  return await follow(context, { client, jobId: job.id, json: options.json });
}
