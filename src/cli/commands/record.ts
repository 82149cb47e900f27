import { loadConfig } from '../../config/load.ts';
import { jobSpec } from '../../jobs/jobRequest.ts';
import type { CliContext } from '../context.ts';
import { type JobOptions, jobRequest } from '../jobOptions.ts';
import { type RunOptions, runJob } from '../run/runJob.ts';

export interface RecordOptions extends RunOptions, JobOptions {
  readonly dataDir?: string;
}

/** `kennel record URL [QUALITY]` */
export async function record(context: CliContext, options: RecordOptions): Promise<number> {
  const { dataDir } = options;
  const spec = jobSpec(await jobRequest(options, context.terminal));
  const config = loadConfig(context.env, dataDir === undefined ? {} : { dataDir });
  return await runJob(context, { ...options, config }, async ({ node }) => {
    const { jobId } = await node.submit(spec);
    return jobId;
  });
}
