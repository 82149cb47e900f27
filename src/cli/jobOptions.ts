import { systemClock } from '../core/clock.ts';
import type { JobRequest } from '../jobs/jobRequest.ts';
import { bytesPerSecond } from './bandwidth.ts';
import { cookiesOf } from './cookies.ts';
import { durationMs } from './duration.ts';
import { headersOf } from './headers.ts';
import { moment } from './moment.ts';
import type { Terminal } from './terminal.ts';

/** What is to be recorded, as the command line has it: here, or by a service. */
export interface JobOptions {
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
  readonly recorder?: string;
  readonly format?: string;
  readonly cookies?: string;
  readonly allow?: readonly string[];
  readonly bandwidth?: string;
  readonly firstMedia?: string;
  readonly staleAfter?: string;
}

const WAIT_DEFAULT = '24h';

/** @throws KennelError `usage.invalid` */
export async function jobRequest(options: JobOptions, terminal: Terminal): Promise<JobRequest> {
  const { duration, wait, patience, cookies, bandwidth, firstMedia, staleAfter } = options;
  const { url, quality, output, keepSegments, dual, proxy, audio, subtitles } = options;
  const { recorder, format, allow, header, until, fallback: fallbacks } = options;
  const warn = (sentence: string) => terminal.err(`kennel: ${sentence}`);
  const timed = (time: string | undefined) => (time === undefined ? undefined : durationMs(time));
  return {
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
    endAt: until === undefined ? undefined : moment(until, systemClock.now()),
    waitMs: timed(wait === true ? WAIT_DEFAULT : wait),
    patienceMs: timed(patience),
  };
}

const watchOf = (firstMediaMs: number | undefined, staleMs: number | undefined) => ({
  ...(firstMediaMs !== undefined && { firstMediaMs }),
  ...(staleMs !== undefined && { staleMs }),
});
