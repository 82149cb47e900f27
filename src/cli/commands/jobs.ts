import { loadConfig } from '../../config/load.ts';
import { KennelError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';

export interface JobsOptions {
  readonly dataDir?: string;
  readonly limit: string;
  readonly json?: boolean;
}

const LIMIT_MAX = 1_000;

/** `kennel jobs` */
export async function jobs(context: CliContext, options: JobsOptions): Promise<number> {
  const { terminal } = context;
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    throw new KennelError('usage.invalid', `--limit takes a whole number from 1 to ${LIMIT_MAX}.`);
  const { dataDir } = options;
  const kennel = await context.compose(
    loadConfig(context.env, dataDir === undefined ? {} : { dataDir }),
  );
  try {
    for (const job of await kennel.records.list({ limit })) {
      const { headers: _secret, ...spec } = job.spec;
      if (options.json) terminal.out(JSON.stringify({ ...job, spec }));
      else
        terminal.out(
          [
            job.id,
            (job.outcome ? `${job.state}/${job.outcome}` : job.state).padEnd(16),
            new Date(job.createdAt).toISOString().slice(0, 19),
            job.verdict ?? job.ending ?? '',
            job.spec.url,
          ].join('  '),
        );
    }
    return 0;
  } finally {
    await kennel.stop();
  }
}
