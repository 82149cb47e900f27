import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffprobe } from '../../src/intake/ffprobe.ts';
import type { ResolvedLink } from '../../src/intake/link.ts';
import { openParts } from '../fixtures/pages/openParts.ts';
import { toolPath, whyMissing } from '../support/tools.ts';

const ffmpeg = await toolPath('ffmpeg');
const path = ffmpeg && join(dirname(ffmpeg), 'ffprobe');
const works = path !== undefined && !(await execa(path, ['-version'], { reject: false })).failed;
const missing = works ? '' : ` (did not run: no ffprobe; ${(await whyMissing('ffmpeg')) ?? ''})`;

describe.skipIf(!works)(`the real ffprobe tells what a source consists of${missing}`, () => {
  let workRoot: string;
  let url: string;
  const server = createServer((request, response) => {
    const isClip = request.url === '/clip.ts';
    response.end(isClip ? readFileSync(join(workRoot, 'clip.ts')) : 'nothing of the kind');
  });

  beforeAll(async () => {
    workRoot = await mkdtemp(join(tmpdir(), 'kennel-ffprobe-'));
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25', '-t', '1'];
    const made = ['-c:v', 'mpeg2video', '-f', 'mpegts', join(workRoot, 'clip.ts')];
    await execa(ffmpeg ?? '', ['-v', 'error', ...picture, ...made]);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(workRoot, { recursive: true, force: true });
  });

  const ask = async (link: string, more: Partial<ResolvedLink> = {}) =>
    await ffprobe(
      { kind: 'file', url: new URL(link), headers: {}, formats: [], ...more },
      { signal: AbortSignal.timeout(30_000) },
      { ...openParts(workRoot), tool: { path: path ?? '', version: '' } },
    );

  it('a file over HTTP', async () => {
    expect(await ask(`${url}/clip.ts`)).toMatchObject({
      format: 'mpegts',
      streams: [
        { kind: 'video', codec: 'mpeg2video', width: 320, height: 180, framesPerSecond: 25 },
      ],
    });
  });

  it('what is none, or not there, is refused', async () => {
    await expect(ask(`${url}/x`)).rejects.toMatchObject({ code: 'source.unavailable' });
    await expect(ask('rtmp://127.0.0.1:9/app/x', { kind: 'rtmp' })).rejects.toMatchObject({
      code: 'source.unavailable',
    });
  });

  it('is not asked about what it would have to be told a secret for', async () => {
    expect(await ask(`${url}/clip.ts`, { cookies: 'x' })).toBeUndefined();
    expect(await ask('https://a.test/', { kind: 'page' })).toBeUndefined();
  });
});
