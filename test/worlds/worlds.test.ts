import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect } from 'vitest';
import { type Judgement, judge } from '../support/oracle.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { startDashWorld } from '../support/worlds/dashWorld.ts';
import { startFileWorld } from '../support/worlds/fileWorld.ts';
import { startPageWorld } from '../support/worlds/pageWorld.ts';
import { startRtmpWorld } from '../support/worlds/rtmpWorld.ts';
import { startRtspWorld } from '../support/worlds/rtspWorld.ts';
import { startSrtWorld } from '../support/worlds/srtWorld.ts';
import { testWithTools } from '../support/worlds/testWith.ts';
import { findWorldTools, type WorldTools } from '../support/worlds/worldTools.ts';

/** That the sources of the program tests are what they are taken for: each is recorded with the plain tool, without Kennel. */

const SECONDS = 5;
const all = await findWorldTools();

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories.splice(0))
    rmSync(directory, { recursive: true, force: true });
});
const target = (name: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-plain-'));
  directories.push(directory);
  return join(directory, name);
};

const testWith = testWithTools(all);

async function copyWithFfmpeg(
  ffmpeg: string,
  url: string,
  options: readonly string[] = [],
): Promise<string> {
  const file = target('plain.ts');
  const output = ['-t', String(SECONDS), '-c', 'copy', '-f', 'mpegts', file];
  const result = await execa(
    ffmpeg,
    ['-v', 'error', '-nostdin', ...options, '-i', url, '-map', '0:v', '-map', '0:a', ...output],
    { reject: false, timeout: 60_000 },
  );
  expect(result.exitCode, result.stderr).toBe(0);
  return file;
}

/** Nothing but the show: no packet that it does not have, none twice, none missing in between. */
function expectTheShow(judgement: Judgement, seconds = SECONDS): void {
  expect(judgement).toMatchObject({ missing: [], unknownPackets: 0, duplicated: [] });
  expect(judgement.packets.video).toBeGreaterThan((seconds - 2) * 25);
  expect(judgement.packets.audio).toBeGreaterThan((seconds - 2) * 40);
}

describe('plain ffmpeg', () => {
  testWith(
    'records RTMP, and again after the encoder was away',
    ['ffmpeg', 'nginx', 'rtmpModule'],
    async (tools) => {
      await using world = await startRtmpWorld({ ...tools, module: tools.rtmpModule });
      const first = await copyWithFfmpeg(tools.ffmpeg, world.url);
      await world.killPublisher();
      await world.startPublisher();
      const second = await copyWithFfmpeg(tools.ffmpeg, world.url);
      for (const file of [first, second])
        expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: world.truth }));
      await world.killServer();
      await world.startServer();
      await copyWithFfmpeg(tools.ffmpeg, world.url);
    },
  );

  testWith('records RTSP over TCP and over UDP', ['ffmpeg', 'rtspPython'], async (tools) => {
    await using world = await startRtspWorld({ ffmpeg: tools.ffmpeg, python: tools.rtspPython });
    for (const transport of ['tcp', 'udp']) {
      const file = await copyWithFfmpeg(tools.ffmpeg, world.url, ['-rtsp_transport', transport]);
      expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: world.truth }));
    }
    await world.killServer();
    await world.startServer();
    await copyWithFfmpeg(tools.ffmpeg, world.url, ['-rtsp_transport', 'tcp']);
  });

  testWith('records SRT, and again: the listener comes back', ['ffmpeg', 'srt'], async (tools) => {
    await using world = await startSrtWorld(tools);
    for (const _ of [1, 2]) {
      const file = await copyWithFfmpeg(tools.ffmpeg, world.url);
      expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: world.truth }));
    }
  });

  testWith('records live DASH', ['ffmpeg', 'dash'], async (tools) => {
    await using world = await startDashWorld(tools);
    const file = await copyWithFfmpeg(tools.ffmpeg, world.url);
    expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: world.truth }));
  });

  testWith('reads the files, slowly where that is asked', ['ffmpeg', 'vp9'], async (tools) => {
    await using world = await startFileWorld({ ffmpeg: tools.ffmpeg, webm: true });
    for (const url of [world.mp4Url, world.tsUrl]) {
      const file = await copyWithFfmpeg(tools.ffmpeg, url);
      expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: world.truth }));
    }
    const { stderr } = await execa(tools.ffmpeg, ['-hide_banner', '-i', world.webmUrl], {
      reject: false,
    });
    expect(stderr).toMatch(/Video: vp9[\s\S]*Audio: opus/);
    await using slow = await startFileWorld({ ffmpeg: tools.ffmpeg, bytesPerSecond: 200_000 });
    const began = performance.now();
    await (await fetch(slow.tsUrl)).arrayBuffer();
    expect(performance.now() - began).toBeGreaterThan(4_000);
  });
});

describe('plain yt-dlp', () => {
  const ytDlp = async (tools: Pick<WorldTools, 'ytDlp'>, url: string) => {
    const file = target('plain.ts');
    const result = await execa(
      tools.ytDlp,
      [
        '--ignore-config',
        '--no-cache-dir',
        '--hls-use-mpegts',
        '--fixup',
        'never',
        '-o',
        file,
        url,
      ],
      { reject: false, timeout: 90_000 },
    );
    return { file, ...result };
  };

  testWith(
    'finds the stream behind a page, behind redirects, and behind a page with tokens',
    ['ffmpeg', 'ytDlp'],
    async (tools) => {
      await using origin = await startOrigin({ streams: { ts: { prefill: 8, endAfter: 10 } } });
      await using pages = await startPageWorld({ media: origin.playlistUrl('ts') });
      for (const path of ['/watch', '/redirect', '/token']) {
        const { file, exitCode, stderr } = await ytDlp(tools, `${pages.url}${path}`);
        expect(exitCode, stderr).toBe(0);
        expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: 'ts' }));
      }
      expect(pages.tokens()).toMatchObject({ given: 1, expired: 0 });
    },
  );

  testWith(
    'finds nothing on pages that have nothing, until they have',
    ['ytDlp'],
    async (tools) => {
      await using origin = await startOrigin({ streams: { ts: { vod: true } } });
      await using pages = await startPageWorld({
        media: origin.playlistUrl('ts'),
        notLiveMs: 3_000,
      });
      const ask = (path: string) =>
        execa(tools.ytDlp, ['--ignore-config', '--no-cache-dir', '-J', `${pages.url}${path}`], {
          reject: false,
          timeout: 60_000,
        });
      const [later, notFound, empty, login] = await Promise.all(
        ['/later', '/notfound', '/empty', '/login'].map(ask),
      );
      expect(later?.stderr).toMatch(/Unsupported URL/);
      expect(notFound?.stderr).toMatch(/404/);
      expect(empty?.stderr).toMatch(/Unsupported URL/);
      expect(login?.stderr).toMatch(/401/);
      await expect.poll(async () => (await ask('/later')).exitCode, { timeout: 30_000 }).toBe(0);
      expect(JSON.parse((await ask('/list')).stdout)).toMatchObject({ _type: 'playlist' });
    },
  );

  testWith('meets an address that has expired', ['ytDlp'], async (tools) => {
    await using origin = await startOrigin({ streams: { ts: { vod: true } } });
    await using pages = await startPageWorld({ media: origin.playlistUrl('ts'), tokenMs: 1 });
    const { exitCode } = await ytDlp(tools, `${pages.url}/token`);
    expect(exitCode).toBe(1);
    expect(pages.tokens().expired).toBeGreaterThan(0);
  });
});

testWith('plain streamlink records the origin', ['ffmpeg', 'streamlink'], async (tools) => {
  await using origin = await startOrigin({ streams: { ts: { prefill: 6, endAfter: 10 } } });
  const file = target('plain.ts');
  const result = await execa(
    tools.streamlink,
    ['--hls-live-edge', '6', '-o', file, `hls://${origin.playlistUrl('ts')}`, 'best'],
    { reject: false, timeout: 60_000 },
  );
  expect(result.exitCode, `${result.stdout}${result.stderr}`).toBe(0);
  expectTheShow(await judge({ ffmpeg: tools.ffmpeg, files: [file], set: 'ts' }));
});
