import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';

/** A fresh copy of the module, which looks for each tool once only. */
async function setup() {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-tools-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  vi.resetModules();
  return { directory, tools: await import('../../support/tools.ts') };
}

beforeEach(() => {
  vi.stubEnv('KENNEL_TEST_YTDLP', '');
  vi.stubEnv('KENNEL_TEST_YTDLP_MISSING', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('a tool is found on PATH, unless it does not run', async () => {
  const { directory, tools } = await setup();
  const broken = await mkdtemp(join(directory, 'broken-'));
  await writeFile(join(broken, 'yt-dlp'), '#!/bin/sh\nexit 1\n');
  await writeFile(join(directory, 'yt-dlp'), '#!/bin/sh\necho 1\n');
  for (const place of [broken, directory]) await chmod(join(place, 'yt-dlp'), 0o755);
  vi.stubEnv('PATH', `${broken}:${directory}:/bin`);
  expect(await tools.toolPath('yt-dlp')).toBe(join(directory, 'yt-dlp'));
  expect(await tools.whyMissing('yt-dlp')).toBeUndefined();
});

test('a tool that is nowhere has a reason instead of a path', async () => {
  const { directory, tools } = await setup();
  vi.stubEnv('PATH', directory);
  expect(await tools.toolPath('yt-dlp')).toBeUndefined();
  expect(await tools.whyMissing('yt-dlp')).toBe('no yt-dlp on PATH');
});

test('a tool that is named and does not work is not replaced by another', async () => {
  const { directory, tools } = await setup();
  vi.stubEnv('KENNEL_TEST_FFMPEG', join(directory, 'absent'));
  expect(await tools.ffmpegPath()).toBeUndefined();
  expect(await tools.whyMissing('ffmpeg')).toMatch(/^KENNEL_TEST_FFMPEG=.*does not work: .*ENOENT/);
});

test('a worker believes what the global setup found out', async () => {
  const { tools } = await setup();
  vi.stubEnv(tools.missingVariable('yt-dlp'), 'the reason');
  expect(await tools.whyMissing('yt-dlp')).toBe('the reason');
});
