import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { isAlive, type KennelHome, kennelHome, until } from '../support/kennel.ts';
import { judge } from '../support/oracle.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';

/*
 * kill -9 at random moments of a recording. The finished file is judged by its packets against the origin's own media,
 * not by Kennel's word; then Kennel's ledger is held against what the origin really advertised.
 */

const KILLS = 5;
/**
 * One round of the set is 60 s: what is recorded must be shorter, window included. The window is longer than a loaded machine needs
 * to start Kennel.
 */
const RECORD_SECONDS = 34;
const WINDOW = 20;
/** A drill is ten kills: five in each of two recordings. KENNEL_RECORDINGS=1 halves that. */
const RECORDINGS = [1, 2].slice(0, Number(process.env['KENNEL_RECORDINGS'] ?? 2));

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

/** Some random moment of a recording that is under way. */
const aRandomMoment = () => sleep(300 + Math.random() * 3_000);

const RECORDS = /the stream is live|recorder is on it|recorder\.adopt/;

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
  if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
};

test.each(RECORDINGS)(
  'kill -9 of the recorder host at random moments costs nothing (%i)',
  async () => {
    const bundle = await setup();
    await using _origin = bundle.origin;
    const { home } = bundle;
    const running = bundle.record();
    await running.saw(RECORDS);
    for (let killed = 0; killed < KILLS; killed++) {
      await aRandomMoment();
      await until(`a host lives: ${running.said()}`, () => home.hostPids().some(isAlive));
      for (const pid of home.hostPids()) kill(pid);
    }
    const { code, stdout, stderr } = await running.ended;
    expect(code, `${stderr}${stdout}`).toBe(0);
    await everySegmentOnce(bundle);
    await until('no process is left', () => home.processes().length === 0);
  },
);

/** Kills again and again, gives the same command again each time, and looks what came of it. */
async function killAndRepeat(bundle: Bundle, strike: (supervisor: number | undefined) => void) {
  let running = bundle.record();
  for (let killed = 0; killed < KILLS; killed++) {
    await running.saw(RECORDS);
    await aRandomMoment();
    strike(running.child.pid);
    await running.ended;
    running = bundle.record();
  }
  const { code, stdout, stderr } = await running.ended;
  expect(code, `${stderr}${stdout}`).toBe(0);
  expect(stderr).toContain('goes on with the unfinished job');
  await everySegmentOnce(bundle);
  await until('no process is left', () => bundle.home.processes().length === 0);
}

test.each(RECORDINGS)(
  'kill -9 of the supervisor alone costs nothing: the next one adopts (%i)',
  async () => {
    const bundle = await setup();
    await using _origin = bundle.origin;
    await killAndRepeat(bundle, kill);
    // The same host recorded all the time: no other attempt was needed.
    expect((await bundle.home.ledger()).attempts).toBe(1);
  },
);

test.each(RECORDINGS)(
  'kill -9 of the whole process tree, and the same command again, costs nothing (%i)',
  async () => {
    const bundle = await setup();
    await using _origin = bundle.origin;
    await killAndRepeat(bundle, (supervisor) => {
      for (const pid of [supervisor, ...bundle.home.processes()]) kill(pid);
    });
  },
);
