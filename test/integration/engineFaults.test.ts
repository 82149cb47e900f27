import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { nativeRecorder } from '../../src/hls/nativeRecorder.ts';
import { leanTransport } from '../../src/hls/transport/leanTransport.ts';
import { readJournal } from '../../src/ledger/journal.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { verifyFiles } from '../../src/ledger/verifyFiles.ts';
import { Origin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import type { StreamOptions } from '../support/origin/streamOptions.ts';

const run = promisify(execFile);

/** The origin makes ten segments of one second each second, and the recorder's seconds are as short. */
const RATE = 10;
const clock: Clock = {
  ...systemClock,
  elapsed: () => systemClock.elapsed() * RATE,
  setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / RATE),
};

/** A file system of its own in memory. Skips the test, saying why, where mounting is not allowed. */
async function tinyDisk(context: TestContext, size: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'kennel-test', directory]);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    context.skip(`a tmpfs cannot be mounted here: ${String(error)}`);
  }
  onTestFinished(async () => {
    await run('umount', ['-l', directory]);
    await rm(directory, { recursive: true, force: true });
  });
  return directory;
}

async function setup(directory: string, options: StreamOptions) {
  const stream = { set: 'ts', rate: RATE, window: 10, prefill: 2, ...options };
  const origin = await Origin.start({ streams: { ts: stream } });
  const transport = leanTransport();
  onTestFinished(async () => {
    transport.close();
    await origin.stop();
  });
  const logged: string[] = [];
  const record = (attempt = 1) =>
    nativeRecorder(transport)({
      job: {
        id: 'job-1',
        attempt,
        spec: {
          url: origin.playlistUrl(),
          quality: ['best'],
          waitMs: 0,
          patienceMs: 60_000,
          output: '/nowhere/',
          keepSegments: true,
        },
      },
      directory,
      clock,
      random: () => 0.5,
      onStarted: () => undefined,
      log: (message) => logged.push(message),
    });
  const judge = async () => {
    const { records, torn } = await readJournal(directory);
    const ledger = new Ledger();
    for (const line of records) ledger.apply(line);
    const judged = reconcile(origin.stream(), {
      stored: ledger.segments(),
      lost: ledger.gaps(),
    });
    return { ledger, judged, torn, differences: await verifyFiles(directory, ledger) };
  };
  const stored = async () =>
    (await readJournal(directory)).records.filter(({ t }) => t === 'segment').length;
  return { origin, record, judge, stored, logged };
}

/** Resolves once the condition holds; the test's own time limit is the limit. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Takes all the room that is left, to the last byte. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (let bytes = 64 * 1024; bytes >= 1; ) {
      const written = await handle.write(Buffer.alloc(bytes)).catch(() => undefined);
      if (written === undefined) bytes = Math.floor(bytes / 2);
    }
  } finally {
    await handle.close();
  }
}

const remount = (directory: string, mode: 'ro' | 'rw') =>
  run('mount', ['-o', `remount,bind,${mode}`, directory]);

const clean = { unaccounted: [], twice: [], wrong: [], invented: [] };

it('goes on by itself when a full disk has room again, and names what the disk would not take', async (context) => {
  const disk = await tinyDisk(context, '4m');
  const { record, judge, stored, logged } = await setup(disk, { endAfter: 90 });
  const recorder = record();
  await until(async () => (await stored()) >= 10);
  const ballast = join(disk, 'ballast');
  await fill(ballast);
  await pause(3_500);
  await rm(ballast);
  const before = await stored();
  await until(async () => (await stored()) >= before + 10);

  expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
  const { ledger, judged, torn, differences } = await judge();
  expect([torn, differences]).toEqual([false, []]);
  expect(judged).toMatchObject(clean);
  expect(ledger.stored + ledger.lost).toBe(90);
  expect(new Set(ledger.gaps().map(({ cause }) => cause))).toEqual(new Set(['disk']));
  expect(ledger.lost).toBeGreaterThan(0);
  // The log is not flooded.
  expect(logged.filter((line) => line.startsWith('The journal')).length).toBeLessThan(10);
});

it('is continued when it was killed on a full disk and started again while that was still full', async (context) => {
  const disk = await tinyDisk(context, '4m');
  const { record, judge, stored } = await setup(disk, { endAfter: 90 });
  const first = record();
  await until(async () => (await stored()) >= 10);
  const ballast = join(disk, 'ballast');
  await fill(ballast);
  await pause(300);
  first.kill('test');
  expect(await first.exited).toMatchObject({ kind: 'crashed', why: 'test' });
  const second = record(2);
  await pause(2_500);
  await rm(ballast);

  expect(await second.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
  const { ledger, judged, torn, differences } = await judge();
  expect([torn, differences]).toEqual([false, []]);
  expect(judged).toMatchObject(clean);
  expect(ledger.stored + ledger.lost).toBe(90);
  expect(ledger.stored).toBeGreaterThan(40);
});

it('fails and says why in a directory that is read-only, and begins once it can be written', async (context) => {
  const disk = await tinyDisk(context, '4m');
  await run('mount', ['--bind', disk, disk]);
  onTestFinished(async () => void (await run('umount', ['-l', disk])));
  const { record, judge } = await setup(disk, { endAfter: 20 });
  await remount(disk, 'ro');
  const exit = await record().exited;
  expect(exit).toMatchObject({ kind: 'failed', why: 'disk.failed', retryable: true });
  expect(exit.evidence).toMatchObject({ system: 'EROFS' });
  await remount(disk, 'rw');
  expect(await record(2).exited).toMatchObject({ kind: 'ended', why: 'endlist' });
  const { judged, differences } = await judge();
  expect([judged.unaccounted, differences]).toEqual([[], []]);
});

it('names what it could not write while the media directory was read-only, and then goes on', async (context) => {
  const disk = await tinyDisk(context, '4m');
  const media = join(disk, 'media');
  await mkdir(media);
  await run('mount', ['--bind', media, media]);
  onTestFinished(async () => void (await run('umount', ['-l', media])));
  const { record, judge, stored } = await setup(disk, { endAfter: 80 });
  const recorder = record();
  await until(async () => (await stored()) >= 10);
  await until(() =>
    remount(media, 'ro').then(
      () => true,
      () => false,
    ),
  );
  await pause(3_000);
  await remount(media, 'rw');

  expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
  const { ledger, judged, differences } = await judge();
  expect(differences).toEqual([]);
  expect(judged).toMatchObject(clean);
  expect(ledger.lost).toBeGreaterThan(0);
  expect(new Set(ledger.gaps().map(({ cause }) => cause))).toEqual(new Set(['disk']));
});
