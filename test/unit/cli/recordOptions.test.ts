import { chmod, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import { bytesPerSecond } from '../../../src/cli/bandwidth.ts';
import { runCli } from '../../../src/cli/cli.ts';
import { cookiesOf } from '../../../src/cli/cookies.ts';
import { adhocOrder } from '../../../src/config/adhocOrder.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { EventFeed } from '../../../src/jobs/events.ts';

it.each([
  ['20M', 2_500_000],
  ['20Mbit/s', 2_500_000],
  ['20 Mb', 2_500_000],
  ['500k', 62_500],
  ['2.5MB', 2_500_000],
  ['1G', 125_000_000],
  ['8', 1],
])('a bandwidth of %s is %d bytes a second', (text, bytes) => {
  expect(bytesPerSecond(text)).toBe(bytes);
});

it.each(['', '0', '7', 'M', '-1M', '1e9', '20X', '1 M B', '99999999999G'])(
  '%j is no bandwidth',
  (text) => {
    expect(() => bytesPerSecond(text)).toThrow(/not a bandwidth/);
  },
);

describe('a cookie file', () => {
  async function file(text: string, mode = 0o600) {
    const directory = await mkdtemp(join(tmpdir(), 'kennel-cookies-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'cookies.txt');
    await writeFile(path, text);
    await chmod(path, mode);
    const warnings: string[] = [];
    return { path, warnings, read: async () => await cookiesOf(path, (one) => warnings.push(one)) };
  }

  it('is read, without a word where it is private', async () => {
    const { read, warnings } = await file('# x\n');
    expect(await read()).toBe('# x\n');
    expect(warnings).toEqual([]);
  });

  it('that others may read is read with a warning', async () => {
    const { read, warnings } = await file('# x\n', 0o644);
    expect(await read()).toBe('# x\n');
    expect(warnings.join()).toContain('chmod 600');
  });

  it('that is too large, no file or not there is refused', async () => {
    const { read, path } = await file('# x\n');
    await truncate(path, 2 * 1024 * 1024);
    await expect(read()).rejects.toThrow(/larger/);
    await expect(cookiesOf('/tmp', () => undefined)).rejects.toThrow(/cannot be read/);
    await expect(cookiesOf(`${path}.not`, () => undefined)).rejects.toThrow(/ENOENT/);
  });
});

test('what the environment orders is what the options say', async () => {
  const env = {
    RUNNING_MODE: 'adhoc',
    MANIFEST_URL: 'rtsp://cam.lan/1',
    QUALITY: 'best',
    DURATION: '10s',
    OUTPUT: '/tmp/kennel-adhoc/',
    RECORDER: 'ffmpeg',
    FORMAT: '-x',
    ALLOW: '10.0.0.0/8  cam2.lan',
    BANDWIDTH: '20M',
    WAIT: '5m',
    FIRST_MEDIA: '30s',
    STALE_AFTER: '20s',
    AUDIO_ONLY: '1',
    KENNEL_DATA_DIR: '/tmp/kennel-adhoc/data',
  };
  expect(adhocOrder(env)).toMatchObject({ recorder: 'ffmpeg', allow: ['10.0.0.0/8', 'cam2.lan'] });
  const specs: JobSpec[] = [];
  const seen = new KennelError('job.conflict', 'This is as far as it goes.');
  await runCli([], {
    env,
    compose: async () => ({
      // Nothing else of the node is asked before a job is submitted.
      node: {
        feed: new EventFeed(),
        submit: async (spec: JobSpec) => {
          specs.push(spec);
          throw seen;
        },
      } as never,
      records: {} as never,
      start: async () => undefined,
      drain: async () => undefined,
      stop: async () => undefined,
      fallen: new Promise(() => undefined),
    }),
    composeService: () => Promise.reject(new Error('no service is asked for')),
  });
  expect(specs).toMatchObject([
    {
      url: 'rtsp://cam.lan/1',
      durationMs: 10_000,
      recorder: 'ffmpeg',
      format: '-x',
      reach: ['cam.lan:554', '10.0.0.0/8', 'cam2.lan'],
      bytesPerSecondMax: 2_500_000,
      waitMs: 300_000,
      watch: { firstMediaMs: 30_000, staleMs: 20_000 },
      audioOnly: true,
    },
  ]);
});
