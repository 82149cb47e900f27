import { loadConfig } from '../../config/load.ts';
import type { CliContext } from '../context.ts';
import { type RunOptions, runJob } from '../run/runJob.ts';

export interface ResumeOptions extends RunOptions {
  readonly id: string;
  readonly dataDir?: string;
}

/** `kennel resume ID` */
export async function resume(context: CliContext, options: ResumeOptions): Promise<number> {
  const { id, dataDir } = options;
  const config = loadConfig(context.env, dataDir === undefined ? {} : { dataDir });
  return await runJob(context, { ...options, config }, async ({ node, records }) => {
    const job = await records.findByPrefix(id);
    await node.resume(job);
    return job.id;
  });
}
