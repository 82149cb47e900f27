import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { residentBytes } from '../support/worlds/processes.ts';
import { findWorldTools } from '../support/worlds/worldTools.ts';
import { type MixedAccount, mixedAccount } from './mixed/account.ts';
import { MixedNode } from './mixed/mixedNode.ts';
import { mixedSources } from './mixed/sources.ts';
import { strikes } from './mixed/strikes.ts';
import { seeded } from './soak/random.ts';
import { type Trend, trendOf } from './soak/samples.ts';

const USAGE = `node test/bench/mixed.ts [--minutes 10] [--seed 1]
  Ten jobs of all kinds on one Kennel (HLS, pages, yt-dlp, ffmpeg with HLS, RTMP, RTSP, SRT, DASH and a file, streamlink), whose programs
  are killed and stopped at random. Every job has to end with a proof that is true, nothing may be left behind, and the memory of
  the supervisor and its recorder hosts is watched. Ends with 1 when something is untrue, left, or grows.`;

/** Below that, memory is still finding its level. */
const JUDGED_FROM_MINUTES = 8;
/** Megabytes a minute, of all processes of Kennel together. */
const SLOPE_MAX = 1;
const SAMPLE_MS = 1_000;
const MEGABYTE = 1024 ** 2;
/** How long after their duration jobs may take to make their files. */
const FINISH_MS = 240_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const print = (text: string) => void process.stdout.write(`${text}\n`);

interface Sample {
  readonly atMinutes: number;
  readonly supervisorMb: number;
  readonly hostsMb: number;
}

function rows(accounts: readonly MixedAccount[]): string {
  const line = (cells: readonly (string | number | null)[]) =>
    cells.map((cell, at) => String(cell).padEnd(at === 0 ? 28 : 11)).join('');
  return [
    line([
      'job',
      'exit',
      'attempts',
      'pieces',
      'media s',
      'gaps',
      'named s',
      'orphans',
      'strays',
      'proof',
    ]),
    ...accounts.map((one) =>
      line([
        ...[one.name, one.exitCode, one.attempts, one.stored, (one.mediaMs / 1_000).toFixed(1)],
        ...[one.gaps, (one.namedMs / 1_000).toFixed(1), one.orphans, one.strays.length],
        one.untruths.length === 0 ? 'true' : `untrue: ${one.untruths.join('; ').slice(0, 300)}`,
      ]),
    ),
  ].join('\n');
}

function slopeOf(samples: readonly Sample[], of: (sample: Sample) => number): Trend | undefined {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < 10) return undefined;
  return trendOf(half.map((sample) => [sample.atMinutes, of(sample)]));
}

async function mixed(minutes: number): Promise<number> {
  const tools = await findWorldTools();
  const { ffmpeg } = tools.found;
  if (ffmpeg === undefined) {
    print(`did not run: ${tools.missing.ffmpeg}`);
    return 0;
  }
  const world = await mixedSources(tools);
  for (const one of world.missing) print(`did not run: ${one}`);
  const node = new MixedNode();
  const over = new AbortController();
  const samples: Sample[] = [];
  try {
    await node.start();
    const durationMs = minutes * 60_000;
    const jobs = world.sources.map((source) => {
      const { url, name, recorder, isFile } = source;
      const output = node.home.file(`${name.replaceAll(' ', '-')}.mp4`);
      const length = isFile ? durationMs * 10 : durationMs;
      const job = node.record({ url, output, durationMs: length, ...(recorder && { recorder }) });
      return { source, job };
    });
    const began = performance.now();
    const sampling = setInterval(() => {
      const of = (pids: readonly number[]) =>
        pids.reduce((sum, pid) => sum + residentBytes(pid), 0) / MEGABYTE;
      samples.push({
        atMinutes: (performance.now() - began) / 60_000,
        supervisorMb: of([node.pid]),
        hostsMb: of(node.home.hostPids()),
      });
    }, SAMPLE_MS);
    const random = seeded(Number(values.seed));
    const striking = strikes(() => jobs.flatMap(({ job }) => job.jobId ?? []), {
      signal: over.signal,
      random,
    });
    await sleep(Math.max(0, durationMs - 5_000));
    over.abort();
    const struck = await striking;
    clearInterval(sampling);
    print(`what was done: ${[...struck].map(([what, count]) => `${what} ${count}`).join(', ')}\n`);
    const accounts: MixedAccount[] = [];
    for (const { source, job } of jobs) {
      const late = sleep(FINISH_MS, undefined, { ref: false }).then(() => undefined);
      const ended = await Promise.race([job.ended, late]);
      if (ended === undefined) throw new Error(`${source.name} did not end`);
      accounts.push(await mixedAccount(source, job, { ended, ffmpeg, durationMs }));
    }
    print(rows(accounts));
    return verdict(accounts, { samples, minutes });
  } finally {
    over.abort();
    await node.end();
    const left = node.home.processes();
    if (left.length > 0) print(`processes are left: ${left.join(', ')}`);
    node.remove();
    await world.close();
  }
}

function verdict(
  accounts: readonly MixedAccount[],
  { samples, minutes }: { samples: readonly Sample[]; minutes: number },
): number {
  const trends = [
    ['supervisor', slopeOf(samples, ({ supervisorMb }) => supervisorMb)],
    ['recorder hosts', slopeOf(samples, ({ hostsMb }) => hostsMb)],
  ] as const;
  let isGood = accounts.every(
    ({ untruths, orphans, strays }) =>
      untruths.length === 0 && orphans === 0 && strays.length === 0,
  );
  const last = samples.at(-1);
  print(
    `\nresident at the end: supervisor ${last?.supervisorMb.toFixed(0)} MB, hosts ${last?.hostsMb.toFixed(0)} MB`,
  );
  for (const [who, trend] of trends) {
    if (trend === undefined) continue;
    const isJudged = minutes >= JUDGED_FROM_MINUTES;
    const grows = trend.perHour - 2.3 * trend.error > SLOPE_MAX;
    if (isJudged && grows) isGood = false;
    print(
      `${who}: ${trend.perHour.toFixed(2)} ± ${(2.3 * trend.error).toFixed(2)} MB a minute${isJudged ? '' : ' (not judged: too short)'}`,
    );
  }
  print(isGood ? 'ok' : 'NOT OK');
  return isGood ? 0 : 1;
}

if (values.help) print(USAGE);
else {
  print(
    `node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)}, ${values.minutes} minutes, seed ${values.seed}`,
  );
  process.exitCode = await mixed(Number(values.minutes));
}
