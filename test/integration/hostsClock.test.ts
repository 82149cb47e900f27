import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../machines/ports.ts';
import { reachOfLinks } from '../../src/egress/reachOfLinks.ts';
import { readJournal } from '../../src/ledger/journal.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { proofOf } from '../../src/ledger/proof.ts';
import { HostBench, jobOf, until } from '../fixtures/hostBench.ts';
import { titled } from '../support/faultyDisk.ts';
import { Origin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import { WallClock, whyNoWallClock } from '../support/wallClock.ts';

const missing = whyNoWallClock();

const ENGINE = join(import.meta.dirname, '../../src/hosts/host/main.ts');
const HOUR_SECONDS = 3_600;
/** Segments that the origin offers before its ENDLIST, at five a second. */
const SEGMENTS = 50;

async function setup() {
  const stream = { set: 'ts', rate: 5, window: 40, prefill: 2, endAfter: SEGMENTS };
  const origin = await Origin.start({ streams: { ts: { ...stream, startsOnRequest: true } } });
  onTestFinished(() => origin.stop());
  const here = new HostBench();
  onTestFinished(() => here.close());
  const clock = new WallClock(join(here.root, 'wall-clock'));
  const node = here.node({ entry: ENGINE, environment: clock.environment });
  await node.pool.start();
  const job = (attempt: number): Job => {
    const base = jobOf('a', 'tick', attempt);
    const url = origin.playlistUrl();
    const spec = { ...base.spec, url, reach: reachOfLinks([url]), patienceMs: 10_000 };
    return { ...base, spec };
  };
  const records = async () => (await readJournal(join(here.recordings, 'a'))).records;
  const stored = async () => (await records()).filter(({ t }) => t === 'segment').length;
  const judged = async () => {
    const ledger = new Ledger();
    for (const record of await records()) ledger.apply(record);
    const claims = { stored: ledger.segments(), lost: ledger.gaps() };
    return { proof: proofOf(ledger), account: reconcile(origin.stream(), claims), ledger };
  };
  return { here, clock, node, job, records, stored, judged };
}

const CLEAN = { lost: [], unaccounted: [], twice: [], wrong: [], invented: [] };

/** How far the dates of neighbouring segments lie apart at most, forwards and back, milliseconds. */
const stepsOf = (dates: readonly number[]): number[] =>
  dates.slice(1).map((date, index) => date - (dates[index] ?? date));

test.skipIf(missing).for([HOUR_SECONDS, -HOUR_SECONDS])(
  titled('a host whose wall clock is set by %i s loses nothing and names nothing wrongly', missing),
  async (step) => {
    const { clock, node, job, stored, judged } = await setup();
    const held = node.take(job(1));
    await until(async () => (await stored()) >= 10);
    clock.set(step);
    await until(async () => (await stored()) >= 25);
    clock.set(0);
    expect(await held.exit()).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { proof, account, ledger } = await judged();
    expect(account).toMatchObject(CLEAN);
    expect(proof).toMatchObject({ advertised: SEGMENTS, stored: SEGMENTS, duplicates: 0 });
    expect(ledger.lastEpoch('main')).toBe(0);
    // The clock really was set, both ways.
    const jumps = stepsOf(ledger.segments().map(({ at }) => at)).filter(
      (ms) => Math.abs(ms) > (HOUR_SECONDS * 1_000) / 2,
    );
    expect(jumps.map(Math.sign).toSorted()).toEqual([-1, 1]);
  },
);

test.skipIf(missing).for([HOUR_SECONDS, -HOUR_SECONDS])(
  titled(
    'a recording whose host dies, and goes on under a clock that was set by %i s, is one recording',
    missing,
  ),
  async (step) => {
    const { here, clock, node, job, stored, judged } = await setup();
    const first = node.take(job(1));
    await until(async () => (await stored()) >= 10);
    for (const pid of await here.hostPids()) process.kill(pid, 'SIGKILL');
    expect(await first.exit()).toMatchObject({ kind: 'crashed', why: 'host.died' });
    clock.set(step);
    await sleep(200);
    expect(await node.take(job(2)).exit()).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { proof, account, ledger } = await judged();
    expect(account).toMatchObject(CLEAN);
    expect(proof).toMatchObject({ advertised: SEGMENTS, stored: SEGMENTS, attempts: 2 });
    expect(ledger.lastEpoch('main')).toBe(0);
  },
);
