import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TERMINAL_STATES } from '../../../machines/vocabulary.ts';
import { kennelHome } from '../kennel.ts';
import { type Origin, startOrigin } from '../origin/origin.ts';
import { startPostgres } from '../postgres.ts';
import { ServiceUnderTest } from '../serviceUnderTest.ts';
import { judgeHistories } from './judgeHistories.ts';
import { judgeRecordings, type MediaAccount } from './judgeRecordings.ts';
import { type DatabaseServer, type Killed, strikeDatabase, strikeService } from './strikes.ts';
import { type Accepted, submit, type Wish } from './submitters.ts';

export interface ServiceDrillOptions {
  /** kill -9 of the service, within `seconds`. */
  readonly kills: number;
  /** Times that the database is away, within `seconds`; of a real Postgres only. */
  readonly outages: number;
  readonly outageSeconds: number;
  /** For how long jobs come in and strikes fall. */
  readonly seconds: number;
  readonly jobs: number;
  readonly database: 'pglite' | 'postgres';
  /** Of all that is left to chance. */
  readonly seed: number;
  readonly say?: (text: string) => void;
}

export interface DrillReport {
  /** What must not be: none of them, or the drill has failed. */
  readonly faults: readonly string[];
  readonly jobs: number;
  /** Jobs by their state at the end. */
  readonly states: Readonly<Record<string, number>>;
  readonly media: MediaAccount;
  readonly killed: readonly Killed[];
  /** Submissions that had to be sent more than once. */
  readonly sentAgain: number;
  readonly lives: number;
}

/** Why a drill cannot be done here. */
export interface NoDrill {
  readonly missing: string;
}

/**
 * Segments in a playlist, each of one second: what is not fetched within that time is lost to everybody. Longer than a service
 * of a loaded machine takes to be back with its recorders.
 */
const WINDOW = 60;
/** Jobs are to end by the end of the drill; whatever is slower has this long, milliseconds. */
const SETTLE_MS = 120_000;
const SHORTEST_SECONDS = 6;

/** Jobs come in while the service is killed and its database is taken away. At the end everything is held against everything. */
export async function serviceDrill(options: ServiceDrillOptions): Promise<DrillReport | NoDrill> {
  const postgres = options.database === 'postgres' ? await startPostgres() : undefined;
  if (postgres && 'missing' in postgres) return { missing: postgres.missing };
  try {
    const { crash, restart } = postgres ?? {};
    if (options.outages > 0 && !(crash && restart))
      return { missing: 'only a Postgres of our own can be taken away' };
    const databaseUrl = await postgres?.createDatabase();
    return await drill(options, {
      ...(databaseUrl !== undefined && { databaseUrl }),
      ...(crash && restart && { server: { crash, restart } }),
    });
  } finally {
    await postgres?.stop();
  }
}

interface Ground {
  readonly databaseUrl?: string;
  readonly server?: DatabaseServer;
}

async function drill(options: ServiceDrillOptions, { databaseUrl, server }: Ground) {
  const { kills, outages, outageSeconds, seconds, seed, say = () => undefined } = options;
  const random = seeded(seed);
  const faults: string[] = [];
  const fault = (text: string) => {
    say(`FAULT ${text}`);
    faults.push(text);
  };
  await using origin = await startOrigin({ streams: {} });
  const wishes = wishesOf(options, { random, origin });
  const env = {
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'ownMachine.ts')}`,
    KENNEL_CAPACITY_CPU_SHARE: '1',
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
  };
  await using service = await ServiceUnderTest.on({ home: kennelHome(), env });
  await service.start();
  const parts = { service, random, fault, say };
  const from = performance.now();
  const deadline = from + seconds * 1_000 + SETTLE_MS;
  const withinMs = seconds * 1_000;
  const outageMs = outageSeconds * 1_000;
  const [accepted, killed] = await Promise.all([
    submitAll(wishes, { ...parts, deadline, origin, from }),
    strikeService(parts, { kills, withinMs }),
    server && strikeDatabase(parts, { server, outages, outageMs, withinMs }),
  ]);
  await service.ready();
  await allEnded(service, { accepted, fault, deadline });
  const proofs = new Map<string, unknown>();
  for (const { jobId } of accepted) proofs.set(jobId, await read(service, `/${jobId}/proof`));
  await endWell(service, fault);
  const { dataDir, directory: outputDir } = service.home;
  const rows = await judgeHistories({
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...{ dataDir, accepted, fault },
  });
  const stateOf = new Map(rows.map(({ id, state }) => [id, state]));
  for (const { id, state, cause } of rows)
    if (state !== 'done') fault(`${id} is ${state}: ${cause}`);
  const media = await judgeRecordings({
    ...{ dataDir, outputDir, origin, accepted, proofs, fault },
    isDone: (jobId) => stateOf.get(jobId) === 'done',
  });
  // Nobody was away for a whole window, so whatever was offered can be had.
  for (const one of media.lost) fault(`lost ${one}`);
  return {
    ...{ faults, media, killed },
    jobs: accepted.length,
    states: countOf(stateOf.values()),
    sentAgain: accepted.filter(({ tries }) => tries > 1).length,
    lives: service.lives,
  };
}

/** Jobs come in over the first half of the time and end by the end of it. */
function wishesOf(
  { jobs, seconds, seed }: ServiceDrillOptions,
  { random, origin }: { random: () => number; origin: Origin },
): Wish[] {
  return Array.from({ length: jobs }, (_, number) => {
    const stream = `s${number}x`;
    const atSeconds = (number / jobs) * (seconds / 2);
    const longest = Math.max(SHORTEST_SECONDS, seconds - atSeconds - SHORTEST_SECONDS);
    return {
      key: `drill-${seed}-${number}`,
      stream,
      url: origin.playlistUrl(stream),
      durationSeconds: Math.round(SHORTEST_SECONDS + random() * (longest - SHORTEST_SECONDS)),
      atMs: atSeconds * 1_000,
    };
  });
}

async function submitAll(
  wishes: readonly Wish[],
  parts: Parameters<typeof submit>[1] & { readonly origin: Origin; readonly from: number },
): Promise<Accepted[]> {
  const asked = wishes.map(async (wish) => {
    await sleep(Math.max(0, parts.from + wish.atMs - performance.now()));
    await parts.origin.add(wish.stream, { set: 'ts', window: WINDOW });
    return await submit(wish, parts);
  });
  return (await Promise.all(asked)).filter((one) => one !== undefined);
}

async function read(service: ServiceUnderTest, path: string): Promise<unknown> {
  const response = await service.fetch(`/api/v1/jobs${path}`);
  return response.ok ? await response.json() : undefined;
}

async function allEnded(
  service: ServiceUnderTest,
  parts: {
    readonly accepted: readonly Accepted[];
    readonly fault: (text: string) => void;
    readonly deadline: number;
  },
): Promise<void> {
  const ended: ReadonlySet<string> = new Set(TERMINAL_STATES);
  for (const { jobId, stream } of parts.accepted) {
    for (;;) {
      const job = await read(service, `/${jobId}`).catch(() => undefined);
      const state = typeof job === 'object' && job !== null && 'state' in job ? job.state : '';
      if (typeof state === 'string' && ended.has(state)) break;
      if (performance.now() > parts.deadline) {
        parts.fault(`${stream} ${jobId} has not ended: ${JSON.stringify(job)}`);
        break;
      }
      await sleep(200);
    }
  }
}

/** SIGTERM ends it well, and nothing of it is left. */
async function endWell(service: ServiceUnderTest, fault: (text: string) => void): Promise<void> {
  const ran = await service.stop();
  if (ran?.code !== 0) fault(`the service ended with ${ran?.code} ${ran?.signal}: ${ran?.stderr}`);
  const deadline = performance.now() + 5_000;
  while (service.home.processes().length > 0 && performance.now() < deadline) await sleep(50);
  const left = service.home.processes();
  if (left.length > 0) fault(`processes are left: ${left.join(', ')}`);
}

function countOf(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Numbers from 0 to 1 that a seed determines: a multiplicative congruential generator (Park and Miller, 1988). */
function seeded(seed: number): () => number {
  const modulus = 2_147_483_647;
  let state = (Math.abs(Math.trunc(seed)) % (modulus - 1)) + 1;
  return () => {
    state = (state * 48_271) % modulus;
    return state / modulus;
  };
}
