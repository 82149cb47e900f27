import { createHash } from 'node:crypto';
import type { Report } from '../campaign.ts';
import { checkEngineAtEnd } from './engineLaws.ts';
import { type EngineScript, SEGMENT_MS } from './engineScript.ts';
import { EngineWorld, PATIENCE_MS } from './engineWorld.ts';

/** What a recording may take beyond its stream and its troubles: restarts, patience and the last retries. */
const SLACK_MS = PATIENCE_MS + 180_000;

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs one script to its end in virtual time. The same script and seed give the same run, bit for bit. */
export async function simulateEngine(script: EngineScript, seed: number): Promise<Report> {
  const world = new EngineWorld(script, seed);
  world.boot();
  const limitMs = limitOf(script);
  let steps = 0;
  for (;;) {
    await settle();
    if (world.isOver || world.clock.now >= limitMs || !world.clock.step()) break;
    steps++;
  }
  await checkEngineAtEnd(world);
  const hash = createHash('sha256').update(world.trace.join('\n'));
  return {
    violations: world.violations,
    digest: hash.digest('hex').slice(0, 16),
    steps,
    simulatedMs: world.clock.now,
    trace: world.trace,
  };
}

function limitOf({ endsAt, troubles, disk, deaths }: EngineScript): number {
  const spans = [...troubles, ...disk, ...deaths].reduce((sum, { forMs }) => sum + forMs, 0);
  return endsAt * SEGMENT_MS + spans + SLACK_MS;
}
