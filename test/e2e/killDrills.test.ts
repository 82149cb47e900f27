import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type KennelHome, kennelHome, until } from '../support/kennel.ts';
import { judge } from '../support/oracle.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';

/*
 * kill -9 at ten random moments of one recording. The finished file is judged by its packets against the origin's own media,
 * not by Kennel's word; then Kennel's ledger is held against what the origin really advertised.
 */

const KILLS = 10;
/** One round of the set is 60 s: what is recorded must be shorter, window included. */
const RECORD_SECONDS = 44;
const WINDOW = 10;

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) home.remove();
});

const setup = async () => {
  const home = kennelHome();
  homes.push(home);
  const origin = await startOrigin({ streams: { ts: { set: 'ts', window: WINDOW } } });
  const args = [
    'record',
    origin.playlistUrl('ts'),
    '--output',
    home.file('show.mp4'),
    '--duration',
    `${RECORD_SECONDS}s`,
  ];
  return { home, origin, args, record: () => home.start(args) };
};
type Bundle = Awaited<ReturnType<typeof setup>>;

/** Random pauses that add up to a little less than the recording. */
const pauses = (): number[] => {
  const shares = Array.from({ length: KILLS }, () => 0.4 + Math.random());
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => (share / sum) * (RECORD_SECONDS - 8) * 1_000);
};

async function everySegmentOnce({ home, origin }: Bundle): Promise<void> {
  const stream = origin.stream('ts');
  const ledger = await home.ledger();
  const account = reconcile(stream, { stored: ledger.segments(), lost: ledger.gaps() });
  expect(account).toMatchObject({ lost: [], unaccounted: [], twice: [], wrong: [], invented: [] });
  expect({ lost: ledger.lost, duplicates: ledger.duplicates }).toEqual({ lost: 0, duplicates: 0 });
  const [first, last] = [ledger.segments()[0]?.msn, ledger.segments().at(-1)?.msn];

  const ffmpeg = await ffmpegPath();
  if (!ffmpeg) throw new Error(`the finished file cannot be judged: ${whyMissing('ffmpeg')}`);
  const judgement = await judge({
    ffmpeg,
    files: [home.file('show.mp4')],
    set: 'ts',
    ...(first !== undefined && { from: first }),
    ...(last !== undefined && { to: last }),
  });
  expect(judgement).toMatchObject({
    partial: [],
    missing: [],
    duplicated: [],
    unexpected: [],
    decodeErrors: [],
    timeBreaks: [],
  });
  expect(judgement.segments).toHaveLength(ledger.stored);
  expect(ledger.stored).toBeGreaterThan(RECORD_SECONDS - 2);
}

const kill = (pid: number | undefined) => {
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
};

test('kill -9 of the recorder host at ten random moments costs nothing', async () => {
  const bundle = await setup();
  await using _origin = bundle.origin;
  const { home } = bundle;
  const running = bundle.record();
  await running.saw('the stream is live');
  for (const pauseMs of pauses()) {
    await sleep(pauseMs);
    await until('a recorder host lives', () => home.hostPids().length > 0);
    for (const pid of home.hostPids()) kill(pid);
  }
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  await everySegmentOnce(bundle);
  await until('no process is left', () => home.processes().length === 0);
});

test('kill -9 of the supervisor alone at ten random moments costs nothing: the next one adopts', async () => {
  const bundle = await setup();
  await using _origin = bundle.origin;
  const { home } = bundle;
  let running = bundle.record();
  await running.saw('the stream is live');
  const [host] = home.hostPids();
  for (const pauseMs of pauses()) {
    await sleep(pauseMs);
    kill(running.child.pid);
    await running.ended;
    running = bundle.record();
  }
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain('goes on with the unfinished job');
  const ledger = await home.ledger();
  // The same host recorded all the time: no other attempt was needed.
  expect({ attempts: ledger.attempts, host: host !== undefined }).toEqual({ attempts: 1, host: true });
  await everySegmentOnce(bundle);
  await until('no process is left', () => home.processes().length === 0);
});

test('kill -9 of the whole process tree at ten random moments, and the same command again, costs nothing', async () => {
  const bundle = await setup();
  await using _origin = bundle.origin;
  const { home } = bundle;
  let running = bundle.record();
  await running.saw('the stream is live');
  for (const pauseMs of pauses()) {
    await sleep(pauseMs);
    kill(running.child.pid);
    for (const pid of home.processes()) kill(pid);
    await running.ended;
    running = bundle.record();
  }
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  await everySegmentOnce(bundle);
  await until('no process is left', () => home.processes().length === 0);
});
