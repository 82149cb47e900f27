import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../../core/clock.ts';
import { jobSpec } from '../../jobs/jobRequest.ts';
import { bytesPerSecond } from '../bandwidth.ts';
import type { CliContext } from '../context.ts';
import { cookiesOf } from '../cookies.ts';
import { durationMs } from '../duration.ts';
import { endAt } from '../endAt.ts';
import { headersOf } from '../headers.ts';
import { type RunOptions, runJob } from '../run/runJob.ts';

export interface RecordOptions extends RunOptions {
  readonly url: string;
  readonly quality?: string | undefined;
  readonly output?: string;
  readonly duration?: string;
  readonly until?: string;
  /** True where it was given without a time. */
  readonly wait?: string | true;
  readonly patience?: string;
  readonly header: readonly string[];
  readonly fallback: readonly string[];
  readonly dual?: boolean;
  readonly proxy?: string;
  /** True where it was given without wishes: nothing but the sound is wanted. */
  readonly audio?: string | true;
  readonly subtitles?: string;
  readonly keepSegments?: boolean;
  readonly dataDir?: string;
  readonly recorder?: string;
  readonly format?: string;
  readonly cookies?: string;
  readonly allow?: readonly string[];
  readonly bandwidth?: string;
  readonly firstMedia?: string;
  readonly staleAfter?: string;
}

const WAIT_DEFAULT = '24h';

/** `kennel record URL [QUALITY]` */
export async function record(context: CliContext, options: RecordOptions): Promise<number> {
  const { duration, wait, patience, dataDir, cookies, bandwidth, firstMedia, staleAfter } = options;
  const { url, quality, output, keepSegments, dual, proxy, audio, subtitles } = options;
  const { recorder, format, allow, header, until, fallback: fallbacks } = options;
  const warn = (sentence: string) => context.terminal.err(`kennel: ${sentence}`);
  const timed = (time: string | undefined) => (time === undefined ? undefined : durationMs(time));
  const spec = jobSpec({
    url,
    fallbacks,
    dual,
    proxy,
    quality,
    audio: audio === true ? undefined : audio,
    audioOnly: audio === true,
    subtitles,
    output,
    keepSegments,
    recorder,
    format,
    allow,
    headers: headersOf(header),
    cookies: cookies === undefined ? undefined : await cookiesOf(cookies, warn),
    bytesPerSecondMax: bandwidth === undefined ? undefined : bytesPerSecond(bandwidth),
    watch: watchOf(timed(firstMedia), timed(staleAfter)),
    durationMs: timed(duration),
    endAt: until === undefined ? undefined : endAt(until, systemClock.now()),
    waitMs: timed(wait === true ? WAIT_DEFAULT : wait),
    patienceMs: timed(patience),
  });
  const config = loadConfig(context.env, dataDir === undefined ? {} : { dataDir });
  return await runJob(context, { ...options, config }, async ({ node }) => {
    const { jobId } = await node.submit(spec);
    return jobId;
  });
}

const watchOf = (firstMediaMs: number | undefined, staleMs: number | undefined) => ({
  ...(firstMediaMs !== undefined && { firstMediaMs }),
  ...(staleMs !== undefined && { staleMs }),
});
