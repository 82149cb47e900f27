import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerOf } from '../../../src/jobs/recordings.ts';
import { isAlive } from '../kennel.ts';
import type { ServiceUnderTest } from '../serviceUnderTest.ts';

export interface StrikeParts {
  readonly service: ServiceUnderTest;
  readonly random: () => number;
  readonly fault: (text: string) => void;
  readonly say: (text: string) => void;
}

/** How often everything of the node dies with the service: hosts and programs, as with a machine that loses power. */
const WHOLE_NODE = 0.3;
/** An outage waits until something records. */
const LOOK_EVERY_MS = 200;
/** Whoever watches over services starts them again at once, or a little later. */
const AGAIN_WITHIN_MS = 1_500;

export interface Killed {
  readonly kind: 'service' | 'node';
  /** From the kill until the service could be asked for anything again; absent when the next kill came before. */
  readonly readyAfterMs: number;
}

/** kill -9 at random moments, so many within the time; starts of the service are moments as good as any. */
export async function strikeService(
  parts: StrikeParts,
  { kills, withinMs }: { readonly kills: number; readonly withinMs: number },
): Promise<readonly Killed[]> {
  const { service, random, say } = parts;
  const from = performance.now();
  const apartMs = withinMs / Math.max(1, kills);
  const killed: Promise<Killed>[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const moment = from + (kill + random()) * apartMs;
    await sleep(Math.max(0, moment - performance.now()));
    const kind = random() < WHOLE_NODE ? 'node' : 'service';
    const at = performance.now();
    await service.kill();
    if (kind === 'node')
      for (const pid of service.home.processes()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    say(`kill ${kill + 1} of the ${kind}, ${Math.round((at - from) / 1_000)} s after the start`);
    await sleep(random() * AGAIN_WITHIN_MS);
    service.begin();
    const ready = service.ready(withinMs + 90_000);
    killed.push(ready.then(() => ({ kind, readyAfterMs: performance.now() - at })));
  }
  return await Promise.all(killed);
}

export interface DatabaseServer {
  crash(): Promise<void>;
  restart(): Promise<void>;
}

/** Takes the database away, so often and for so long, spread over the time; recordings must go on meanwhile. */
export async function strikeDatabase(
  parts: StrikeParts,
  options: {
    readonly server: DatabaseServer;
    readonly outages: number;
    readonly outageMs: number;
    readonly withinMs: number;
  },
): Promise<void> {
  const { server, outages, outageMs, withinMs } = options;
  const { random, say } = parts;
  const from = performance.now();
  const apartMs = withinMs / Math.max(1, outages);
  for (let outage = 0; outage < outages; outage++) {
    const spareMs = Math.max(0, apartMs - outageMs);
    const moment = from + outage * apartMs + random() * spareMs;
    await sleep(Math.max(0, moment - performance.now()));
    while ((await underway(parts.service)).size === 0 && performance.now() < from + withinMs)
      await sleep(LOOK_EVERY_MS);
    await server.crash();
    say(
      `outage ${outage + 1}, ${Math.round((performance.now() - from) / 1_000)} s after the start`,
    );
    const before = await underway(parts.service);
    await sleep(outageMs);
    await judgeProgress(parts, { before, outageMs });
    await server.restart();
  }
}

/** Stored segments of recordings that have begun and not ended, by directory. */
async function underway({ home }: ServiceUnderTest): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const directory of home.recordings()) {
    const { ended, stored } = await ledgerOf(directory);
    if (ended === undefined && stored > 0) counts.set(directory, stored);
  }
  return counts;
}

/** A recording that did not end meanwhile has what half of the time brought at least: a second of media in a segment. */
async function judgeProgress(
  { fault, say }: StrikeParts,
  { before, outageMs }: { before: ReadonlyMap<string, number>; outageMs: number },
): Promise<void> {
  let wentOn = 0;
  for (const [directory, count] of before) {
    const { ended, stored } = await ledgerOf(directory);
    if (stored - count >= outageMs / 2_000) wentOn++;
    else if (ended === undefined)
      fault(`${directory} stored ${stored - count} segments in ${outageMs} ms without a database`);
  }
  say(`${wentOn} of ${before.size} recordings went on through the outage; the others ended`);
}
