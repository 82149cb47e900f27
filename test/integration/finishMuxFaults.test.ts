import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ffmpegVersion, findFfmpeg } from '../../src/media/findFfmpeg.ts';
import { type MuxOptions, muxRecording } from '../../src/media/mux/muxRecording.ts';
import { isVerified, type MuxResult } from '../../src/media/mux/muxResult.ts';
import { probeFile } from '../../src/media/probe.ts';
import { runsOf } from '../../src/media/runsOf.ts';
import { makeThumbnails } from '../../src/media/thumbnails.ts';
import { verifyFile } from '../../src/media/verify.ts';
import { setDirectory } from '../support/origin/mediaSet.ts';
import { ffmpegPath } from '../support/tools.ts';
import {
  JOB_ID,
  ledgerOf,
  recordsOf,
  type Stretch,
  storeRecording,
  temporaryDirectory,
} from '../unit/media/recording.ts';

const ffmpeg = await ffmpegPath();
const real = ffmpeg ?? '';
const CLEAN: Stretch[] = [{ set: 'ts', from: 0, to: 4 }];

let cleanUp: AsyncDisposableStack;
beforeAll(() => {
  cleanUp = new AsyncDisposableStack();
});
afterAll(async () => await cleanUp.disposeAsync());

async function setup(stretches: readonly Stretch[] = CLEAN) {
  const { path: workplace } = cleanUp.use(await temporaryDirectory());
  const directory = join(workplace, 'recording');
  const records = recordsOf(stretches);
  const ledger = await storeRecording(directory, records);
  const outputDirectory = join(directory, 'finish');
  const mux = async (options: Partial<MuxOptions> = {}): Promise<MuxResult> =>
    await muxRecording({
      directory,
      ledger,
      outputDirectory,
      signal: new AbortController().signal,
      log: () => undefined,
      ...options,
    });
  /** A program that is ffmpeg to us. */
  const fake = async (script: string): Promise<{ path: string; version: string }> => {
    const path = join(workplace, 'ffmpeg');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return { path, version: 'fake' };
  };
  return { workplace, directory, ledger, records, outputDirectory, mux, fake };
}

/** Runs the real one, then spoils the file it wrote. */
const spoiling = (how: string): string =>
  `${real} "$@" || exit $?\nfor each; do case "$each" in *.tmp) ${how};; esac; done`;

test.skipIf(ffmpeg === undefined).each([
  ['cuts its file short', spoiling('truncate -s -2000 "$each"'), 'ends inside its mdat box'],
  ['writes no file at all', spoiling('rm "$each"'), 'cannot be read'],
  ['leaves packets out', `${real} "$@"\necho "0, 1, 1, 1, 1, 0x0"`, 'packets differ'],
  [
    'complains but exits with 0',
    `${real} "$@"\necho "something is wrong" >&2`,
    'something is wrong',
  ],
  ['exits with an error', 'echo "cannot do it" >&2; exit 1', 'exit code 1: cannot do it'],
  ['dies of a signal', 'kill -9 $$', 'SIGKILL'],
  ['exits at once without reading', 'exit 0', 'cannot be read'],
])(
  'an ffmpeg that %s is not believed, and mediabunny does it',
  async (_what, script, why) => {
    const { mux, fake, outputDirectory } = await setup();
    const { files } = await mux({ ffmpeg: await fake(script) });
    expect(files).toMatchObject([{ muxer: 'mediabunny', verification: { verified: true } }]);
    expect(files[0]?.rejected).toMatchObject([{ muxer: 'ffmpeg' }]);
    expect(files[0]?.rejected[0]?.why).toContain(why);
    expect((await readdir(outputDirectory)).toSorted()).toEqual(['mux.json', 'run-1.mp4']);
  },
  30_000,
);

test('a full disk is named as such, whatever other muxer there is', async () => {
  const { mux, fake } = await setup();
  const full = fake(
    'cat >/dev/null; echo "av_interleaved_write_frame(): No space left on device" >&2; exit 1',
  );
  await expect(mux({ ffmpeg: await full })).rejects.toMatchObject({ code: 'disk.full' });
});

test('segments that no muxer can read are an error, and they stay', async () => {
  const { directory, records, outputDirectory, mux } = await setup();
  const garbage = Buffer.alloc(18_800, 0x47);
  const checksum = createHash('sha256').update(garbage).digest('hex');
  const spoilt = records.map((record) =>
    record.t === 'segment' ? { ...record, checksum, bytes: garbage.length } : record,
  );
  for (const number of [0, 1, 2, 3, 4]) {
    await writeFile(join(directory, `ts/00${number}.mpegts`), garbage);
  }
  await expect(mux({ ledger: ledgerOf(spoilt) })).rejects.toMatchObject({
    code: 'mux.unverified',
    details: { rejected: [{ muxer: 'mediabunny' }] },
  });
  expect(await readdir(outputDirectory)).toEqual([]);
  expect(await readdir(join(directory, 'ts'))).toHaveLength(5);
}, 30_000);

const damages: Record<string, (directory: string) => Promise<void>> = {
  'changed on disk': async (directory) => {
    const handle = await open(join(directory, 'ts/002.mpegts'), 'r+');
    await handle.write(Buffer.from([0xff]), 0, 1, 10_000);
    await handle.close();
  },
  'is gone': async (directory) => await rm(join(directory, 'ts/002.mpegts')),
};

describe.each(['ffmpeg', 'mediabunny'])('with %s', (muxer) => {
  test.skipIf(ffmpeg === undefined).each(Object.entries(damages))(
    'a segment that %s is left out and named, the others are muxed',
    async (_how, spoil) => {
      const { directory, mux, fake } = await setup();
      await spoil(directory);
      const result = await mux(
        muxer === 'ffmpeg' ? { ffmpeg: await fake(`exec ${real} "$@"`) } : {},
      );
      expect(result.files).toMatchObject([
        { muxer, segments: 4, verification: { verified: true, complaints: [] } },
      ]);
      expect(result.damaged).toMatchObject([
        { track: 'main', epoch: 0, msn: 102, file: 'ts/002.mpegts' },
      ]);
      expect(isVerified(result)).toBe(false);
    },
    30_000,
  );
});

test('a damaged result stands until its segments are put right', async () => {
  const { directory, mux } = await setup();
  const path = join(directory, 'ts/002.mpegts');
  const content = await readFile(path);
  await rm(path);
  const damaged = await mux();
  expect(await mux({ before: () => expect.unreachable() })).toEqual(damaged);
  await writeFile(path, content);
  const whole = await mux();
  expect(whole).toMatchObject({ damaged: [], files: [{ segments: 5 }] });
}, 30_000);

test('without one segment that is what was recorded nothing is muxed', async () => {
  const { directory, mux } = await setup();
  await rm(join(directory, 'ts'), { recursive: true });
  await expect(mux()).rejects.toMatchObject({ code: 'disk.failed' });
}, 30_000);

test('an abort ends the muxer with all its children and leaves no result', async () => {
  const { workplace, outputDirectory, mux, fake } = await setup();
  const abort = new AbortController();
  const slow = await fake(`sleep 1000 & echo > ${workplace}/started; cat >/dev/null; sleep 1000`);
  const muxing = mux({ ffmpeg: slow, signal: abort.signal });
  const judged = expect(muxing).rejects.toThrow('enough');
  await vi.waitFor(async () => await readFile(join(workplace, 'started')), { timeout: 10_000 });
  abort.abort(new Error('enough'));
  await judged;
  const { stdout } = await execa('sh', [
    '-c',
    `grep -l KENNEL_JOB=${JOB_ID} /proc/[0-9]*/environ 2>/dev/null | wc -l`,
  ]);
  expect(stdout.trim()).toBe('0');
  expect(await readdir(outputDirectory)).toEqual([]);
}, 30_000);

test('a saved result is returned as it is, and made anew for other segments', async () => {
  const { outputDirectory, mux } = await setup();
  const first = await mux();
  await writeFile(join(outputDirectory, 'run-9.mp4.tmp'), 'left by a crash');
  expect(await mux({ before: () => expect.unreachable() })).toEqual(first);
  const fewer = ledgerOf(recordsOf([{ set: 'ts', from: 0, to: 2 }]));
  const second = await mux({ ledger: fewer });
  expect(second.files[0]?.segments).toBe(3);
  expect((await readdir(outputDirectory)).toSorted()).toEqual(['mux.json', 'run-1.mp4']);
}, 30_000);

test.each(['truncated', 'without its index'])(
  'a file that is %s does not verify',
  async (what) => {
    const { ledger, outputDirectory, mux } = await setup();
    const [file] = (await mux()).files;
    const path = join(outputDirectory, 'run-1.mp4');
    const run = runsOf(ledger)[0]?.run;
    if (file === undefined || run === undefined) throw new Error('nothing was muxed');
    if (what === 'truncated') await truncate(path, file.bytes - 100);
    else await writeFile(path, (await readFile(path)).subarray(0, 30_000));
    const { verification } = await verifyFile(path, {
      run,
      source: file.verification.packets.source,
      firsts: [],
      companionFirsts: [],
      ragged: { skewSeconds: 0, overhangMs: 0 },
      environment: {},
    });
    expect(verification.verified).toBe(false);
    expect(verification.packets.equal).toBe(false);
  },
  30_000,
);

test.skipIf(ffmpeg === undefined)(
  'a separate audio rendition is put into the same file, in step',
  async () => {
    const { path: directory } = cleanUp.use(await temporaryDirectory());
    await mkdir(join(directory, 'ts'));
    const records = [];
    for (const record of recordsOf([{ set: 'ts', from: 0, to: 4 }])) {
      if (record.t !== 'segment') {
        records.push(record);
        continue;
      }
      const source = join(setDirectory('ts'), record.file.split('/')[1] ?? '');
      for (const [track, map] of [
        ['main', '0:v'],
        ['audio', '0:a'],
      ] as const) {
        const file = `ts/${track}-${record.msn}.mpegts`;
        const path = join(directory, file);
        const copy = ['-map', map, '-c', 'copy', '-copyts', '-muxdelay', '0', '-muxpreload', '0'];
        await execa(real, ['-v', 'error', '-i', source, ...copy, '-f', 'mpegts', path]);
        const content = await readFile(path);
        const checksum = createHash('sha256').update(content).digest('hex');
        records.push({ ...record, track, file, checksum, bytes: content.length });
      }
    }
    const { files } = await muxRecording({
      directory,
      ledger: ledgerOf(records),
      outputDirectory: join(directory, 'finish'),
      signal: new AbortController().signal,
      log: () => undefined,
      ffmpeg: { path: real, version: 'real' },
    });
    expect(files).toMatchObject([
      {
        segments: 10,
        verification: { verified: true },
        tracks: [{ kind: 'video' }, { kind: 'audio' }],
      },
    ]);
    const info = await probeFile(join(directory, 'finish/run-1.mp4'), { environment: {} });
    expect(info.tracks.map(({ packets }) => packets)).toEqual([125, 232]);
  },
  30_000,
);

test.skipIf(ffmpeg === undefined)(
  'pictures are made from a finished file',
  async () => {
    const { outputDirectory, mux } = await setup();
    const [file] = (await mux()).files;
    const pictures = await makeThumbnails({
      ffmpeg: { path: real },
      file: join(outputDirectory, file?.file ?? ''),
      durationMs: file?.durationMs ?? 0,
      outputDirectory,
      environment: {},
      signal: new AbortController().signal,
    });
    expect(pictures).toMatchObject({
      files: [{ kind: 'poster' }, { kind: 'sprite' }],
      missing: [],
    });
    for (const { file: name } of pictures.files) {
      const head = (await readFile(join(outputDirectory, name))).subarray(0, 2).toString('hex');
      expect(head).toBe('ffd8');
    }
  },
  30_000,
);

test('a picture that cannot be made is named and is no error', async () => {
  const { outputDirectory, workplace, fake } = await setup();
  await mkdir(outputDirectory);
  const pictures = await makeThumbnails({
    ffmpeg: await fake('echo "no such codec" >&2; exit 1'),
    file: join(workplace, 'no.mp4'),
    durationMs: 1_000,
    outputDirectory,
    environment: {},
    signal: new AbortController().signal,
  });
  expect(pictures).toEqual({
    files: [],
    missing: [
      { kind: 'poster', why: 'no such codec' },
      { kind: 'sprite', why: 'no such codec' },
    ],
  });
});

test('a media file is described; anything else is refused', async () => {
  const info = await probeFile(join(setDirectory('ts'), '000.mpegts'), { environment: {} });
  expect(info).toMatchObject({
    tracks: [
      { kind: 'video', codec: 'avc', width: 256, height: 144, packets: 25 },
      { kind: 'audio', codec: 'aac', sampleRate: 48_000, channels: 1 },
    ],
  });
  expect(info.durationMs).toBeGreaterThan(900);
  const text = join(setDirectory('ts'), 'set.json');
  await expect(probeFile(text, { environment: {} })).rejects.toMatchObject({
    code: 'usage.invalid',
  });
}, 30_000);

test('ffmpeg is found on the path, and what only has its name is passed over', async () => {
  const { workplace, fake } = await setup();
  const { path } = await fake('echo "ffmpeg version 9.9 Copyright"');
  await mkdir(join(workplace, 'broken'));
  await writeFile(join(workplace, 'broken/ffmpeg'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const searchPath = `relative:/nowhere:${workplace}/broken:${workplace}`;
  expect(await findFfmpeg({ searchPath })).toEqual({ path, version: '9.9' });
  expect(await findFfmpeg({ searchPath: '/nowhere' })).toBeUndefined();
  expect(await findFfmpeg({ searchPath, given: join(workplace, 'broken/ffmpeg') })).toBeUndefined();
  if (ffmpeg !== undefined) expect(await ffmpegVersion(ffmpeg)).toBeDefined();
});
