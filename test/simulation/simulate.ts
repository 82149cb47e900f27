import type { Report } from './campaign.ts';
import { checkAtEnd, orderAndCheck } from './laws.ts';
import type { Script } from './script.ts';
import { World } from './world.ts';

/** Long enough for every backoff, budget and outage that a script can hold. */
const LIMIT_MS = 6 * 3_600_000;
/** What still runs this long after the last job ended has outlived it (the latest outage and the laws own timers end before). */
const AFTERMATH_MS = 600_000;

/** Lets every promise that can settle do so. The order is the engine's own: no real timer takes part. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs one script to its end in virtual time. The same script and seed give the same run, bit for bit. */
export async function simulate(
  script: Script,
  { seed, trace = false }: { seed: number; trace?: boolean },
): Promise<Report> {
  const world = new World(script, { seed, trace });
  world.order = (jobId, type) => orderAndCheck(world, jobId, type);
  world.boot();
  schedule(world);
  const crashSteps = new Set(script.nodeCrashes.flatMap(({ atStep }) => atStep ?? []));
  let steps = 0;
  while (world.clock.now < LIMIT_MS && !world.isFinished()) {
    await settle();
    if (!world.clock.step()) break;
    steps += 1;
    if (crashSteps.has(steps)) world.crash();
  }
  const end = world.clock.now + AFTERMATH_MS;
  if (world.isFinished()) while (world.clock.now < end && world.clock.step()) await settle();
  checkAtEnd(world);
  return {
    violations: world.violations,
    digest: world.digest(),
    steps,
    simulatedMs: world.clock.now,
    trace: world.trace,
  };
}

function schedule(world: World): void {
  const { clock, script } = world;
  const jobs = [...world.database.rows.keys()];
  for (const { atMs } of script.nodeCrashes)
    if (atMs !== undefined) clock.setTimeout(() => world.crash(), atMs);
  for (const { atMs, forMs } of script.outages)
    clock.setTimeout(() => world.database.goAway(forMs), atMs);
  for (const { atMs, job, type } of script.orders) {
    const jobId = jobs[job];
    if (jobId) clock.setTimeout(() => orderAndCheck(world, jobId, type), atMs);
  }
  for (const { atMs, job, where, times } of script.bugs) {
    const jobId = jobs[job];
    if (jobId) clock.setTimeout(() => world.arm(jobId, where, times), atMs);
  }
  if (script.drainAtMs !== undefined) clock.setTimeout(() => void world.drain(), script.drainAtMs);
  for (const extension of script.extensions ?? [])
    clock.setTimeout(() => world.queue.extend(extension), extension.atMs);
}
