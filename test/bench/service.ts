import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { type ApiCall, apiCall } from '../support/apiCall.ts';
import { learnCheapJobs, SHARED_MACHINE } from '../support/cheapJobs.ts';
import { kennelHome } from '../support/kennel.ts';
import { startPostgres } from '../support/postgres.ts';
import { ServiceUnderTest } from '../support/serviceUnderTest.ts';
import { ffmpegPath } from '../support/tools.ts';
import { type DensityOrigin, densityOrigin } from './density/densityOrigin.ts';
import { mediaOf } from './density/media.ts';
import type { LoadOrder, LoadResult } from './service/load.ts';
import { race } from './service/racers.ts';

const USAGE = `node test/bench/service.ts [--streams 50] [--connections 50] [--seconds 10] [--rate 1] [--keys 1000] [--racers 20] [--profile DIR]
  The real service on Postgres with streams that record: how soon after its submission a job has stored its first segment; GET /jobs/{id}
  and GET /jobs?limit=50 under load, beside a handler of Hono and Drizzle alone on the same database, in turns; what the streams lost
  meanwhile; and many requests under one Idempotency-Key. Exit code 1 when a segment was lost or a key made more than one job.
    --rate      of each stream, Mb/s
    --keys      0 leaves the race out
    --profile   the service writes a CPU profile there; it costs, so do not quote the figures of such a run`;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '50' },
    connections: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1' },
    keys: { type: 'string', default: '1000' },
    racers: { type: 'string', default: '20' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const LOAD = join(import.meta.dirname, 'service/load.ts');
const BARE = join(import.meta.dirname, 'service/bareApi.ts');
const TURNS = 2;
const FIRST_SEGMENT_WITHIN_MS = 120_000;
/** The limits of rates are not what is measured. */
const NO_LIMIT = '100000000';
const RECORDER = 'service';

const print = (text: string) => void process.stdout.write(`${text}\n`);
const [streams, connections, seconds, rate, keys, racers] = [
  values.streams,
  values.connections,
  values.seconds,
  values.rate,
  values.keys,
  values.racers,
].map(Number) as [number, number, number, number, number, number];

const ms = (amount: number) => `${amount.toFixed(1)} ms`;
const at = (amounts: readonly number[], share: number) =>
  amounts.toSorted((one, other) => one - other)[
    Math.min(amounts.length - 1, Math.floor(amounts.length * share))
  ] ?? Number.NaN;

/** Submits a recording of each stream, and tells how long each took to store its first segment, milliseconds. */
async function submitAll(call: ApiCall, origin: DensityOrigin) {
  const submitted: { readonly id: string; readonly at: number }[] = [];
  for (let stream = 0; stream < streams; stream++) {
    const since = Date.now();
    const body = { url: origin.url(RECORDER, stream) };
    const { status, body: job } = await call('POST /jobs', { body });
    if (status !== 201) throw new Error(`${status}: ${JSON.stringify(job)}`);
    submitted.push({ id: job.id, at: since });
  }
  const firstAfterMs = await Promise.all(
    submitted.map(async ({ id, at: since }) => (await firstSegmentAt(call, id)) - since),
  );
  return { ids: submitted.map(({ id }) => id), firstAfterMs };
}

/** When a job stored its first segment, as the index has it, milliseconds since the epoch. */
async function firstSegmentAt(call: ApiCall, id: string): Promise<number> {
  const deadline = performance.now() + FIRST_SEGMENT_WITHIN_MS;
  for (;;) {
    const { body } = await call(`GET /jobs/${id}/segments?limit=1`);
    const first = body.segments?.[0]?.at;
    if (first !== undefined) return Date.parse(first);
    if (performance.now() > deadline) throw new Error(`${id} has stored nothing`);
    await sleep(500);
  }
}

async function bareApi(databaseUrl: string) {
  const child = spawn(process.execPath, [BARE, databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const ended = once(child, 'exit');
  return {
    url: String(line).trim(),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, JSON.stringify(order)]);
  // It is our own child that says it.
  return JSON.parse(stdout) as LoadResult;
}

/** Both answer in turns, so that a busy machine is unfair to neither; of each the better turn counts. */
async function compare(contestants: Readonly<Record<string, string>>, ids: readonly string[]) {
  const routes = {
    'GET /jobs/{id}': ids.map((id) => `/api/v1/jobs/${id}`),
    'GET /jobs?limit=50': ['/api/v1/jobs?limit=50'],
  };
  print(`${''.padEnd(22)}${'requests/s'.padStart(24)}${'p50'.padStart(12)}${'p99'.padStart(12)}`);
  for (const [route, paths] of Object.entries(routes)) {
    const best = new Map<string, LoadResult>();
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [name, origin] of Object.entries(contestants)) {
        const result = await load({ origin, paths, connections, seconds });
        if (result.failures > 0) print(`${name}: ${result.failures} answers were not 200`);
        if (result.requestsPerSecond > (best.get(name)?.requestsPerSecond ?? 0))
          best.set(name, result);
      }
    }
    for (const [name, { requestsPerSecond, p50Ms, p99Ms }] of best)
      print(
        `${route.padEnd(22)}${name.padEnd(12)}${requestsPerSecond.toFixed(0).padStart(12)}${ms(p50Ms).padStart(12)}${ms(p99Ms).padStart(12)}`,
      );
    const [ours, bare] = [...best.values()].map((result) => result.requestsPerSecond);
    print(`${route.padEnd(22)}${((bare ?? 0) / (ours ?? 1)).toFixed(2)} times slower than bare`);
  }
}

/** What the service names as lost, and what its source never got rid of. */
async function lossOf(call: ApiCall, origin: DensityOrigin, ids: readonly string[]) {
  const { missing, segments } = await origin.served(RECORDER);
  let named = 0;
  for (const id of ids) named += (await call(`GET /jobs/${id}`)).body.recorded?.lost ?? 0;
  const states = await call('GET /jobs?state=recording&limit=1');
  const { total_count: recording } = states.body;
  print(
    `${recording} of ${ids.length} streams record, ${segments} segments fetched; named as lost: ${named}, never fetched: ${missing}`,
  );
  return named + missing === 0 && recording === ids.length;
}

async function measure(databaseUrl: string): Promise<boolean> {
  const media = await mediaOf({ bitsPerSecond: rate * 1e6, ffmpeg: await ffmpegPath() });
  const origin = await densityOrigin({ directory: media.directory, streams, tls: false });
  await learnCheapJobs({ url: databaseUrl, directory: '/nonexistent' });
  const profile = values.profile && `--cpu-prof --cpu-prof-dir=${values.profile}`;
  await using service = await ServiceUnderTest.on({
    home: kennelHome({ isNew: true }),
    env: {
      ...SHARED_MACHINE,
      DATABASE_URL: databaseUrl,
      KENNEL_CAPACITY_JOBS_MAX: String(streams),
      KENNEL_API_REQUESTS_PER_MINUTE: NO_LIMIT,
      KENNEL_API_ADDRESS_REQUESTS_PER_MINUTE: NO_LIMIT,
      ...(profile && { NODE_OPTIONS: profile }),
    },
  });
  await service.start();
  const call = apiCall(service.url);
  const bare = await bareApi(databaseUrl);
  try {
    const { ids, firstAfterMs } = await submitAll(call, origin);
    print(
      `${streams} jobs, from POST to the first segment stored: p50 ${ms(at(firstAfterMs, 0.5))}, p99 ${ms(at(firstAfterMs, 0.99))}`,
    );
    await compare({ kennel: service.url, bare: bare.url }, ids);
    print(
      `load average ${loadavg()
        .map((one) => one.toFixed(1))
        .join(' ')}`,
    );
    const isWhole = await lossOf(call, origin, ids);
    let isOnce = true;
    if (keys > 0) {
      const { requests, statuses, jobs, seconds: took } = await race(service.url, { keys, racers });
      isOnce = jobs === keys;
      print(
        `${keys} keys × ${racers} racers: ${jobs} jobs; ${requests} requests in ${took.toFixed(1)} s, by status ${JSON.stringify(statuses)}`,
      );
    }
    for (const id of ids) await call(`POST /jobs/${id}/kill`);
    await service.stop();
    return isWhole && isOnce;
  } finally {
    await bare.stop();
    await origin.stop();
  }
}

async function main(): Promise<number> {
  if (values.help || ![streams, connections, seconds, rate, racers].every((one) => one > 0)) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  const server = await startPostgres();
  if ('missing' in server) return 0;
  try {
    print(
      `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}; streams of ${rate} Mb/s`,
    );
    return (await measure(await server.createDatabase())) ? 0 : 1;
  } finally {
    await server.stop();
  }
}

process.exitCode = await main();
