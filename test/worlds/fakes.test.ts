import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, test } from 'vitest';
import { isAlive, until } from '../support/kennel.ts';
import { judge } from '../support/oracle.ts';
import { type FakeTool, type FakeToolOptions, makeFakeTool } from '../support/worlds/fakeTool.ts';
import { processesNaming, residentBytes } from '../support/worlds/processes.ts';
import { findWorldTools } from '../support/worlds/worldTools.ts';

/** That the misbehaving programs of the drills misbehave, each as it says, without Kennel. */

const { found } = await findWorldTools();
const ffmpeg = found.ffmpeg ?? 'ffmpeg';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

interface Started {
  readonly fake: FakeTool;
  readonly child: ChildProcess;
  readonly directory: string;
  readonly media: Buffer[];
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  said(): number;
}

const start = (
  options: Omit<FakeToolOptions, 'ffmpeg' | 'as'> & Partial<FakeToolOptions>,
): Started => {
  const fake = makeFakeTool({ as: 'yt-dlp', ffmpeg, afterSeconds: 1, ...options });
  const directory = mkdtempSync(join(tmpdir(), 'kennel-fake-work-'));
  const child = spawn(fake.path, ['http://127.0.0.1:1/live.m3u8'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const media: Buffer[] = [];
  let said = 0;
  child.stdout.on('data', (bytes: Buffer) => media.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.length;
  });
  const exit = new Promise<Awaited<Started['exit']>>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  cleanups.push(() => {
    child.kill('SIGKILL');
    for (const { pid } of processesNaming(fake.token)) process.kill(pid, 'SIGKILL');
    for (const { pid, arguments: words } of processesNaming('file:show.ts'))
      if (words.includes('file:show.temp.mp4')) process.kill(pid, 'SIGKILL');
    fake.remove();
    rmSync(directory, { recursive: true, force: true });
  });
  return { fake, child, directory, media, exit, said: () => said };
};

const bytesOf = ({ media }: Started) => media.reduce((sum, { length }) => sum + length, 0);
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

test.each([
  ['yt-dlp', '--version', /^2025\.11\.12$/],
  ['ffmpeg', '-version', /^ffmpeg version 7\.1\.2 /],
  ['streamlink', '--version', /^streamlink 7\.6\.0$/],
] as const)('a fake %s tells a version', async (as, option, version) => {
  const fake = makeFakeTool({ as, ffmpeg, misdeed: 'silentStart' });
  cleanups.push(fake.remove);
  expect((await execa(fake.path, [option])).stdout).toMatch(version);
});

test('one that does nothing wrong plays the show in time, and a second one goes on where it stands', async () => {
  const first = start({ misdeed: 'none' });
  await seconds(2.2);
  first.child.kill('SIGINT');
  expect(await first.exit).toEqual({ code: 1, signal: null });
  const file = join(first.directory, 'show.ts');
  writeFileSync(file, Buffer.concat(first.media));
  if (found.ffmpeg === undefined) return;
  const judgement = await judge({ ffmpeg, files: [file], set: first.fake.set });
  expect(judgement).toMatchObject({ missing: [], duplicated: [], unknownPackets: 0, partial: [] });
  expect(judgement.segments).toEqual([0, 1, 2, 3, 4]);
});

test('one ignores every signal but the last', async () => {
  const started = start({ misdeed: 'ignoresSignals' });
  await until('it plays', () => bytesOf(started) > 0);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) started.child.kill(signal);
  await seconds(0.5);
  expect(isAlive(started.child.pid ?? 0)).toBe(true);
});

test.each(['detaches', 'detachesWithoutMarks'] as const)(
  'one leaves a child behind: %s',
  async (misdeed) => {
    const started = start({ misdeed });
    expect(await started.exit).toEqual({ code: 1, signal: null });
    expect(bytesOf(started)).toBeGreaterThan(50_000);
    expect(processesNaming(started.fake.token)).toHaveLength(1);
  },
);

test('one floods its standard error', async () => {
  const started = start({ misdeed: 'floodsStderr' });
  await until('it floods', () => started.said() > 4_000_000);
});

test.runIf(found.ffmpeg)('one muxes with a child of its own', async () => {
  const started = start({ misdeed: 'muxes' });
  await until('it muxes', () =>
    processesNaming('file:show.temp.mp4').some(({ parent }) => parent === started.child.pid),
  );
  expect(readdirSync(started.directory)).toContain('show.temp.mp4');
});

test('one leaves files', async () => {
  const started = start({ misdeed: 'leavesFiles' });
  expect(await started.exit).toEqual({ code: 1, signal: null });
  expect(readdirSync(started.directory)).toContain('show.mp4.part');
});

test('one exits 0 after a window, one with nothing', async () => {
  const [window, empty] = [start({ misdeed: 'oneWindow' }), start({ misdeed: 'exitsEmpty' })];
  expect(await window.exit).toEqual({ code: 0, signal: null });
  expect(await empty.exit).toEqual({ code: 0, signal: null });
  expect(bytesOf(window)).toBeGreaterThan(50_000);
  expect(bytesOf(empty)).toBe(0);
});

test('one crashes by a signal', async () => {
  expect((await start({ misdeed: 'crashes' }).exit).signal).toMatch(/SIGSEGV|SIGABRT/);
});

test('one eats memory', async () => {
  const { child } = start({ misdeed: 'eatsMemory' });
  await until('it is fat', () => residentBytes(child.pid ?? 0) > 300 * 1_048_576);
});

test('one spins with children', async () => {
  const { fake } = start({ misdeed: 'spinsCpu', cores: 1 });
  await until('it spins', () => processesNaming(fake.token).some(({ state }) => state === 'R'));
});

test('one never begins, one falls silent', async () => {
  const [silent, hanging] = [start({ misdeed: 'silentStart' }), start({ misdeed: 'hangsMidway' })];
  await until('it plays', () => bytesOf(hanging) > 50_000);
  await seconds(2);
  const before = bytesOf(hanging);
  await seconds(2);
  expect([bytesOf(silent), bytesOf(hanging)]).toEqual([0, before]);
  expect(isAlive(hanging.child.pid ?? 0)).toBe(true);
});

test.runIf(found.ffmpeg)(
  'a fake ffmpeg leaves files to the real one, and one around it adds its misdeed',
  async () => {
    const plain = makeFakeTool({ as: 'ffmpeg', ffmpeg, misdeed: 'silentStart' });
    cleanups.push(plain.remove);
    const test = ['-v', 'error', '-f', 'lavfi', '-i', 'sine=d=1', '-f', 'null', '-'];
    expect((await execa(plain.path, test)).exitCode).toBe(0);
    const around = start({ as: 'ffmpeg', misdeed: 'detaches', around: ffmpeg });
    expect((await around.exit).code).not.toBe(0);
    expect(processesNaming(around.fake.token)).toHaveLength(1);
  },
);
