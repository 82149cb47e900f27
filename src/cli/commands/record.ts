import { loadConfig } from '../../config/load.ts';
import { jobSpec } from '../../jobs/jobRequest.ts';
import type { CliContext } from '../context.ts';
import { durationMs } from '../duration.ts';
import { headersOf } from '../headers.ts';
import { type RunOptions, runJob } from '../run/runJob.ts';

export interface RecordOptions extends RunOptions {
  readonly url: string;
  readonly quality?: string | undefined;
  readonly output?: string;
  readonly duration?: string;
  /** True where it was given without a time. */
  readonly wait?: string | true;
  readonly patience?: string;
  readonly header: readonly string[];
  readonly fallback: readonly string[];
  readonly dual?: boolean;
  readonly proxy?: string;
  readonly audio?: string;
  readonly subtitles?: string;
  readonly keepSegments?: boolean;
  readonly dataDir?: string;
}

const WAIT_DEFAULT = '24h';

/** `kennel record URL [QUALITY]` */
export async function record(context: CliContext, options: RecordOptions): Promise<number> {
  const { duration, wait, patience, dataDir } = options;
  const { url, quality, output, keepSegments, dual, proxy, audio, subtitles } = options;
  const spec = jobSpec({
    url,
    fallbacks: options.fallback,
    dual,
    proxy,
    quality,
    audio,
    subtitles,
    output,
    keepSegments,
    headers: headersOf(options.header),
    durationMs: duration === undefined ? undefined : durationMs(duration),
    waitMs: wait === undefined ? undefined : durationMs(wait === true ? WAIT_DEFAULT : wait),
    patienceMs: patience === undefined ? undefined : durationMs(patience),
  });
  const config = loadConfig(context.env, dataDir === undefined ? {} : { dataDir });
  return await runJob(context, { ...options, config }, async ({ node }) => {
    const { jobId } = await node.submit(spec);
    return jobId;
  });
}
