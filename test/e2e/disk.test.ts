import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { copyDatabase } from '../support/database.ts';
import {
  FaultyCalls,
  ReadOnlyMount,
  Tmpfs,
  titled,
  whyNoMounts,
  whyNoStrace,
} from '../support/faultyDisk.ts';
import { eventsOf, isAlive, kennelHome, type Running, until } from '../support/kennel.ts';
import { judge } from '../support/oracle.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import type { StreamOptions } from '../support/origin/streamOptions.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';

/*
 * The disk fills up, fails, becomes read-only or slow under the real product. What comes of it is judged by the packets of
 * the finished file, by what the origin really advertised, and by `kennel proof`.
 */

const noMounts = whyNoMounts();
const noStrace = whyNoStrace();

/** One round of the set is so long: what is recorded must be shorter, or its packets are no longer unique. */
const SEGMENTS = 58;
/** Room for an empty database (39 MB) and its log, for a quarter of an hour of the stream, and for the finished file. */
const DATA_SIZE = '64m';

/*
 * A segment is at its address for as long again after it has left the playlist: of a window of 6 at 3 a second, for 4 s in
 * all. What is wrong for 7 s costs segments.
 */

interface SetupOptions {
  readonly stream?: StreamOptions;
  readonly args?: readonly string[];
  /** Lay the data directory on a file system of its own. */
  readonly isMounted?: boolean;
}

async function setup({ stream = {}, args = [], isMounted = false }: SetupOptions = {}) {
  const home = kennelHome({ isNew: true });
  onTestFinished(() => home.remove());
  const disk = isMounted ? Tmpfs.mount(home.dataDir, DATA_SIZE) : undefined;
  onTestFinished(() => disk?.unmount());
  copyDatabase(home.dataDir);
  onTestFinished(() => {
    for (const pid of home.processes()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  const options = { set: 'ts', window: 10, prefill: 2, endAfter: SEGMENTS, startsOnRequest: true };
  const origin = await startOrigin({ streams: { ts: { ...options, ...stream } } });
  onTestFinished(() => origin.stop());
  const output = home.file('show.mp4');
  const command = ['record', origin.playlistUrl('ts'), '-o', output, ...args];
  const record = (): Running => home.start(command);
  const stored = async (): Promise<number> => (await home.ledger()).stored;
  /** Resolves once the recording has so many segments more than now. */
  const grows = async (by: number): Promise<void> => {
    const before = await stored();
    const deadline = performance.now() + 20_000;
    while ((await stored()) < before + by) {
      if (performance.now() > deadline) throw new Error(`not ${by} segments more within 20 s`);
      await sleep(50);
    }
  };
  return { home, disk, origin, output, record, stored, grows };
}
type Bundle = Awaited<ReturnType<typeof setup>>;

/** Everything that anybody could say against a recording that went through trouble; returns what it named as lost. */
async function judged(
  { home, origin, output }: Bundle,
  { code, said }: { code: number | null; said: string },
) {
  const ledger = await home.ledger();
  const stream = origin.stream('ts');
  const account = reconcile(stream, { stored: ledger.segments(), lost: ledger.gaps() });
  const clean = { unaccounted: [], twice: [], wrong: [], invented: [] };
  expect(account, said).toMatchObject(clean);
  // It tells by its exit code what its ledger says.
  expect(code, said).toBe(ledger.lost > 0 ? 3 : 0);

  const [id = ''] = home.recordings().map((path) => path.slice(path.lastIndexOf('/') + 1));
  const proof = await home.run(['proof', id, '--json', '--verify']);
  const proven = JSON.parse(proof.stdout);
  const lost: number = proven.lost.reduce(
    (sum: number, one: { count: number }) => sum + one.count,
    0,
  );
  expect({ code: proof.code, damaged: proven.verified.damaged }).toEqual({ code: 0, damaged: [] });
  expect(proven.advertised).toBe(proven.stored + lost);
  expect(proven.advertised).toBe(stream.truth().advertised.length + account.inferred.length);

  const ffmpeg = await ffmpegPath();
  if (!ffmpeg) throw new Error(`the finished file cannot be judged: ${await whyMissing('ffmpeg')}`);
  const judgement = await judge({ ffmpeg, files: [output], set: 'ts', from: 0, to: SEGMENTS - 1 });
  expect(judgement).toMatchObject({
    partial: [],
    duplicated: [],
    unknownPackets: 0,
    decodeErrors: [],
  });
  expect(judgement.segments).toEqual(account.stored);
  return { ledger, causes: new Set(ledger.gaps().map(({ cause }) => cause)) };
}

const ended = async (running: Running) => {
  const { code, stdout, stderr } = await running.ended;
  return { code, said: `${stderr}${stdout}`, stdout, stderr };
};

test.skipIf(noMounts)(
  titled(
    'a disk that is full for a while, database and all, costs only what left the window meanwhile, and that is named',
    noMounts,
  ),
  async () => {
    const bundle = await setup({
      stream: { rate: 3, window: 6 },
      isMounted: true,
      args: ['--json'],
    });
    const { home, disk, record, grows } = bundle;
    const running = record();
    await running.saw('recording.started');
    await grows(10);
    const hosts = home.hostPids();
    await disk?.fill();
    await sleep(7_000);
    disk?.free();
    await grows(8);
    const end = await ended(running);
    // Nobody died of it.
    await until('no process is left', () => home.processes().length === 0);
    expect(eventsOf(end.stdout).filter(({ type }) => type === 'job.decided')).toEqual([]);
    expect(hosts).toHaveLength(1);
    const { causes, ledger } = await judged(bundle, end);
    expect(causes).toEqual(new Set(['disk']));
    expect(ledger.attempts).toBe(1);
    const levels = eventsOf(end.stdout).flatMap((event) =>
      event.type === 'disk.outlook' ? event.level : [],
    );
    expect(levels).toContain('full');
    expect(levels.at(-1)).not.toBe('full');
  },
);

test.skipIf(noStrace)(
  titled(
    'a disk whose writes and syncs fail with EIO for seconds costs nothing that is still in the window after it',
    noStrace,
  ),
  async () => {
    const bundle = await setup({ stream: { rate: 2, window: 20 } });
    const { home, record, grows } = bundle;
    const running = record();
    await running.saw('the stream is live');
    await grows(8);
    const [pid = 0] = home.hostPids();
    const fault = await FaultyCalls.inject(pid, 'error=EIO');
    onTestFinished(() => fault.heal());
    await sleep(5_000);
    await fault.heal();
    const end = await ended(running);
    const { ledger } = await judged(bundle, end);
    expect({ lost: ledger.lost, attempts: ledger.attempts }).toEqual({ lost: 0, attempts: 1 });
  },
);

test.skipIf(noStrace)(
  titled(
    'a disk that fails with EIO for longer than the window names what it would not take, and goes on',
    noStrace,
  ),
  async () => {
    const bundle = await setup({ stream: { rate: 3, window: 6 } });
    const { home, record, grows } = bundle;
    const running = record();
    await running.saw('the stream is live');
    await grows(8);
    const [pid = 0] = home.hostPids();
    const fault = await FaultyCalls.inject(pid, 'error=EIO');
    onTestFinished(() => fault.heal());
    await sleep(8_000);
    await fault.heal();
    await grows(5);
    const end = await ended(running);
    const { ledger, causes } = await judged(bundle, end);
    expect(causes).toEqual(new Set(['disk']));
    expect(ledger.attempts).toBe(1);
    expect(end.stderr).toMatch(/GAP: segments? .* lost \(disk\)/);
  },
);

test.skipIf(noMounts)(
  titled(
    'a media directory that is read-only for a while names what it could not take, and goes on',
    noMounts,
  ),
  async () => {
    const bundle = await setup({ stream: { rate: 3, window: 6 } });
    const { home, record, grows } = bundle;
    const running = record();
    await running.saw('the stream is live');
    await grows(5);
    const mount = new ReadOnlyMount(join(home.recordings()[0] ?? '', 'media'));
    await grows(3);
    await until('the directory is read-only', () => mount.close());
    await sleep(7_000);
    mount.open();
    await grows(5);
    mount.unmount();
    const end = await ended(running);
    const { ledger, causes } = await judged(bundle, end);
    expect(causes).toEqual(new Set(['disk']));
    expect(ledger.attempts).toBe(1);
    expect(end.stderr).toMatch(/GAP: .* lost \(disk\): .*read-only file system/);
  },
);

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;

/** What a host may grow by while its disk is slow: some seconds of this stream are a few hundred kilobytes. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024;

test.skipIf(noStrace)(
  titled(
    'a disk that takes 300 ms, then 1.5 s, for every sync costs no segment and little memory',
    noStrace,
  ),
  async () => {
    const bundle = await setup({ stream: { rate: 2, window: 20 } });
    const { home, record, grows } = bundle;
    const running = record();
    await running.saw('the stream is live');
    await grows(6);
    const [pid = 0] = home.hostPids();
    const before = residentBytes(pid);
    for (const delayMs of [300, 1_500]) {
      const slow = await FaultyCalls.inject(
        pid,
        `delay_enter=${delayMs * 1_000}`,
        'fdatasync,fsync',
      );
      onTestFinished(() => slow.heal());
      await sleep(7_000);
      expect(residentBytes(pid) - before).toBeLessThan(GROWTH_BYTES_MAX);
      await slow.heal();
    }
    const end = await ended(running);
    const { ledger } = await judged(bundle, end);
    expect({ lost: ledger.lost, attempts: ledger.attempts }).toEqual({ lost: 0, attempts: 1 });
  },
);

test.skipIf(noMounts)(
  titled(
    'a full disk is foretold with the minutes that are left, then told, and then how long the freed space lasts',
    noMounts,
  ),
  async () => {
    const bundle = await setup({ stream: { rate: 1.2, window: 20 }, isMounted: true });
    const { disk, record, grows } = bundle;
    const running = record();
    await running.saw('the stream is live');
    await running.saw(/DISK (LOW|CRITICAL): full in about \d+ min \([\d.]+ MB free\)/);
    await disk?.fill();
    await running.saw('DISK FULL');
    disk?.free();
    await running.saw(/DISK FULL.*DISK LOW/s);
    await grows(3);
    const end = await ended(running);
    const { ledger } = await judged(bundle, end);
    expect(ledger.attempts).toBe(1);
  },
);
