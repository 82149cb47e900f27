import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from './configuration.ts';
import { costOf } from './cost.ts';
import { whileMonitored } from './loopDelay.ts';
import { type MemoryWorld, memoryWorld } from './memoryWorld.ts';
import { type Watching, watchingOf } from './watching.ts';

/** The figures of one configuration. */
export interface Measurement extends Configuration {
  /** CPU from the order to record until the recorder runs with all doggies beside it, microseconds a job. */
  readonly spawnCpuUs: number;
  /** Live heap after two collections that the watching added, KB (1,024 bytes) a job. */
  readonly heapKb: number;
  /** CPU in the steady state, percent of one core. */
  readonly steadyCpuPercent: number;
  /** How late the event loop came round in the steady state, milliseconds. */
  readonly loopP50Ms: number;
  readonly loopP99Ms: number;
  /** CPU from the instant in which every recorder exits until every job is `done`, milliseconds a job. */
  readonly stormCpuMs: number;
  /** The part of it on the main thread; the rest is the collector's and the compiler's. */
  readonly stormMainCpuMs: number;
  readonly stormWallMs: number;
  /** The longest time in which the event loop did not come round during the storm, milliseconds. */
  readonly stormStallMs: number;
}

/** Takes one configuration through its life: spawn, steady state, storm. Needs `--expose-gc`. */
export async function measure(configuration: Configuration): Promise<Measurement> {
  const { jobs, watcher } = configuration;
  await warmUp(configuration);
  const world = memoryWorld(configuration);
  const heapBefore = await liveHeapBytes();
  const watching = watchingOf(watcher, world);
  const spawned = await costOf(async () => {
    await watching.start();
    await world.allStarted;
  });
  const heapBytes = (await liveHeapBytes()) - heapBefore;
  const steady = await steadyState(world, configuration);
  const storm = await stormOver(world, watching);
  const [decision] = world.decisions;
  if (decision) throw new Error(`nothing was to be decided: ${JSON.stringify(decision)}`);
  return {
    ...configuration,
    spawnCpuUs: (spawned.cpuMs * 1000) / jobs,
    heapKb: heapBytes / 1024 / jobs,
    ...steady,
    stormCpuMs: storm.cpuMs / jobs,
    stormMainCpuMs: storm.mainCpuMs / jobs,
    stormWallMs: storm.wallMs,
    stormStallMs: storm.stallMs,
  };
}

/** Lets other jobs live and end, so that the engine has compiled what a node that is up for a while has compiled. */
async function warmUp(configuration: Configuration): Promise<void> {
  const { warmUpJobs: jobs, watcher } = configuration;
  if (jobs === 0) return;
  const world = memoryWorld({ ...configuration, jobs });
  const watching = watchingOf(watcher, world);
  await watching.start();
  await world.allStarted;
  await endAll(world, watching);
}

async function endAll(world: MemoryWorld, watching: Watching): Promise<void> {
  world.endAll();
  await world.allDone;
  if (!(await watching.isOver())) throw new Error('every job is done, yet somebody watches');
}

async function steadyState(world: MemoryWorld, configuration: Configuration) {
  const { steadyMs } = configuration;
  const before = { ...world.looks };
  const { result: cost, delay } = await whileMonitored(
    async () => await costOf(async () => await sleep(steadyMs)),
  );
  expectLooks(configuration, {
    beats: world.looks.beats - before.beats,
    files: world.looks.files - before.files,
    lookMs: world.ports.policy.lookMs,
  });
  const steadyCpuPercent = (cost.cpuMs / cost.wallMs) * 100;
  return { steadyCpuPercent, loopP50Ms: delay.p50Ms, loopP99Ms: delay.p99Ms };
}

/** A watcher that sleeps is cheap: half of the looks that are due must have been taken, whatever else the machine does. */
function expectLooks(
  { jobs, heartbeatMs, steadyMs }: Configuration,
  seen: { beats: number; files: number; lookMs: number },
): void {
  const due = (everyMs: number) => Math.floor(steadyMs / everyMs) * jobs;
  if (seen.beats < due(heartbeatMs) / 2 || seen.files < due(seen.lookMs) / 2)
    throw new Error(`nobody watches: ${JSON.stringify(seen)} in ${steadyMs} ms of ${jobs} jobs`);
}

async function stormOver(world: MemoryWorld, watching: Watching) {
  const { result: cost, delay } = await whileMonitored(
    async () => await costOf(async () => await endAll(world, watching)),
  );
  return { ...cost, stallMs: delay.maxMs };
}

/** What lives on the heap, once the garbage is gone, bytes. */
async function liveHeapBytes(): Promise<number> {
  if (!gc) throw new Error('start node with --expose-gc');
  for (let round = 0; round < 2; round++) {
    // Finalizers and weak references are done with in a turn of their own.
    await sleep(50);
    gc();
  }
  return process.memoryUsage().heapUsed;
}
