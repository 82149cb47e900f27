import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { type KennelHome, kennelHome, until } from '../support/kennel.ts';
import { judge } from '../support/oracle.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) home.remove();
});

const setup = async () => {
  const home = kennelHome();
  homes.push(home);
  const origin = await startOrigin({ streams: { ts: { window: 6 } } });
  const running = home.start(['record', origin.playlistUrl('ts'), '-o', home.file('show.mp4')]);
  await running.saw('the stream is live');
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  return { home, origin, running };
};

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)(
  '%s in the middle of a recording leaves a verified file, its exit code, and no process',
  async (signal, exitCode) => {
    const { home, origin, running } = await setup();
    await using _origin = origin;
    const sentAt = performance.now();
    running.child.kill(signal);
    const { code, stdout, stderr } = await running.ended;
    const tookMs = performance.now() - sentAt;
    expect(code, `${stderr}${stdout}`).toBe(exitCode);
    expect(stdout).toMatch(/^complete/);
    // A promise to whoever stops the process (Kubernetes kills after a while), not a measure of speed.
    expect(tookMs).toBeLessThan(10_000);
    await until('no process is left', () => home.processes().length === 0, 1_000);
    const ffmpeg = await ffmpegPath();
    if (!ffmpeg) throw new Error(`the file cannot be judged: ${whyMissing('ffmpeg')}`);
    const segments = (await home.ledger()).segments();
    const from = segments[0]?.msn ?? 0;
    const judgement = await judge({ ffmpeg, files: [home.file('show.mp4')], set: 'ts', from });
    expect(judgement).toMatchObject({ partial: [], missing: [], duplicated: [], decodeErrors: [] });
    expect(judgement.segments).toHaveLength(segments.length);
  },
);

test('a second signal ends at once, leaves no process, and the same command goes on', async () => {
  const { home, origin, running } = await setup();
  await using _origin = origin;
  running.child.kill('SIGTERM');
  await running.saw('once more ends at once');
  running.child.kill('SIGTERM');
  expect((await running.ended).code).toBe(143);
  await until('no process is left', () => home.processes().length === 0, 5_000);
});

test('the working directory is left with the file and its manifest, and nothing half-made', async () => {
  const { home, origin, running } = await setup();
  await using _origin = origin;
  running.child.kill('SIGTERM');
  await running.ended;
  expect(existsSync(home.file('show.mp4'))).toBe(true);
  expect(existsSync(home.file('show.manifest.json'))).toBe(true);
});
