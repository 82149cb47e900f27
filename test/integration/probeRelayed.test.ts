import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { openProbe } from '../../src/jobs/openProbe.ts';
import { probe } from '../../src/jobs/probe.ts';
import { probePrograms } from '../../src/jobs/probePrograms.ts';
import { toolPath, whyMissing } from '../support/tools.ts';
import { startSrtWorld } from '../support/worlds/srtWorld.ts';

const ffmpeg = await toolPath('ffmpeg');
const missing = ffmpeg === undefined ? ` (did not run: ${await whyMissing('ffmpeg')})` : '';

/** What is behind a link, with the programs, the cage and the gate of this machine. */
async function probed(target: string) {
  const dataDir = await mkdtemp(join(tmpdir(), 'kennel-probe-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const { PATH = '' } = process.env;
  const programs = await probePrograms(loadConfig({ PATH }, { dataDir }));
  onTestFinished(() => programs.close());
  const parts = openProbe(programs);
  onTestFinished(() => parts.close());
  const signal = AbortSignal.timeout(50_000);
  return await probe({ target, signal, parts: async () => parts });
}

test.skipIf(ffmpeg === undefined)(
  `SRT is looked at through a relay of its own${missing}`,
  async () => {
    const world = await startSrtWorld({ ffmpeg: ffmpeg ?? '' });
    onTestFinished(() => world.close());
    expect(await probed(world.url)).toMatchObject({
      kind: 'stream',
      link: { kind: 'srt', recorder: 'ffmpeg' },
      media: { streams: [{ kind: 'video' }, { kind: 'audio' }] },
    });
  },
  60_000,
);

test.skipIf(ffmpeg === undefined)(
  `RTMP where nobody answers is said to be away${missing}`,
  async () => {
    expect(await probed('rtmp://127.0.0.1:9/live/x')).toMatchObject({
      link: { kind: 'rtmp', recorder: 'ffmpeg' },
      mediaProblem: { code: 'source.unavailable' },
    });
  },
  60_000,
);
