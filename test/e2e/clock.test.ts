import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readJournal } from '../../src/ledger/journal.ts';
import { titled } from '../support/faultyDisk.ts';
import { isAlive, kennelHome, type Ran, until } from '../support/kennel.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import { WallClock, whyNoWallClock } from '../support/wallClock.ts';

/*
 * The wall clock of the supervisor is set by an hour during a recording, as the first answer of a time server does on a machine
 * that was started without one. (The clocks of recorder hosts: test/integration/hostsClock.test.ts.)
 */

const missing = whyNoWallClock();

const HOUR_SECONDS = 3_600;
const STEPS = [HOUR_SECONDS, -HOUR_SECONDS];
const DURATION_MS = 14_000;
/** Of what is begun twice: a loaded machine needs many seconds to start Kennel again, and the duration goes on meanwhile. */
const AWAY_DURATION_MS = 28_000;
/** What the issue allows; the product itself needs some milliseconds, a loaded machine more. */
const TOLERANCE_MS = 2_000;

async function setup(durationMs = DURATION_MS) {
  const home = kennelHome();
  onTestFinished(() => {
    for (const pid of home.processes()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    home.remove();
  });
  const origin = await startOrigin({
    streams: { ts: { set: 'ts', window: 20, prefill: 2, startsOnRequest: true } },
  });
  onTestFinished(() => origin.stop());
  const clock = new WallClock(home.file('wall-clock'));
  const duration = `${durationMs / 1_000}s`;
  const url = origin.playlistUrl('ts');
  const command = ['record', url, '-o', home.file('show.mp4'), '--duration', duration];
  const record = () => home.start(command, clock.environment);
  return { home, origin, clock, record, durationMs };
}
type Bundle = Awaited<ReturnType<typeof setup>>;

async function nothingWrong({ home, origin, durationMs }: Bundle, { code, stdout, stderr }: Ran) {
  expect(code, `${stderr}${stdout}`).toBe(0);
  expect(stdout).toMatch(/^complete/);
  const ledger = await home.ledger();
  const account = reconcile(origin.stream('ts'), {
    stored: ledger.segments(),
    lost: ledger.gaps(),
  });
  expect(account).toMatchObject({ lost: [], unaccounted: [], twice: [], wrong: [], invented: [] });
  const id = ledger.jobId ?? '';
  const proof = JSON.parse((await home.run(['proof', id, '--json'])).stdout);
  expect(proof).toMatchObject({ advertised: proof.stored, lost: [], duplicates: 0 });
  expect(proof.ended.why).toBe('duration');
  // Its own dates may step; how long it recorded may not.
  expect(Math.abs(proof.durationMs - durationMs)).toBeLessThan(TOLERANCE_MS + 2_000);
  // The database serves the history in the order of what happened, whatever dates it has.
  const { stdout: why } = await home.run(['why', id, '--json']);
  const whats = why
    .trim()
    .split('\n')
    .map((line): string => JSON.parse(line).what);
  const moves = whats.filter((what) => what.includes('→'));
  expect(moves.at(0)).toBe('pending → recording');
  expect(moves.at(-1)).toBe('uploading → done');
}

const OVER = 'the requested duration is over';

test.skipIf(missing).for(STEPS)(
  titled(
    'a wall clock that is set by %i s during a recording moves neither its end nor its account',
    missing,
  ),
  async (step) => {
    const bundle = await setup();
    const { clock, record } = bundle;
    const running = record();
    await running.saw('the stream is live');
    const begunAt = performance.now();
    await sleep(5_000);
    clock.set(step);
    await running.saw(OVER);
    expect(Math.abs(performance.now() - begunAt - DURATION_MS)).toBeLessThan(TOLERANCE_MS);
    await nothingWrong(bundle, await running.ended);
  },
);

test.skipIf(missing).for(STEPS)(
  titled(
    'a wall clock that is set by %i s while Kennel is away does not move the end of what it goes on with',
    missing,
  ),
  async (step) => {
    const bundle = await setup(AWAY_DURATION_MS);
    const { clock, record, home } = bundle;
    const first = record();
    await first.saw('the stream is live');
    const begunAt = performance.now();
    await sleep(4_000);
    for (const pid of home.processes()) process.kill(pid, 'SIGKILL');
    await first.ended;
    clock.set(step);
    const second = record();
    await second.saw(OVER);
    expect(Math.abs(performance.now() - begunAt - AWAY_DURATION_MS)).toBeLessThan(TOLERANCE_MS);
    await nothingWrong(bundle, await second.ended);
    const { records } = await readJournal(home.recordings()[0] ?? '');
    expect(records.filter(({ t }) => t === 'started')).toHaveLength(1);
    await until('no process is left', () => home.processes().length === 0);
  },
);
