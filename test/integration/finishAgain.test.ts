import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { openJournal } from '../../src/ledger/journal.ts';
import { ffmpegPath } from '../support/tools.ts';
import {
  type FinishingOptions,
  filesBelow,
  finishingIn,
  jobIn,
  readManifestIn,
} from '../unit/media/finishing.ts';
import { STARTED_AT, sha256, temporaryDirectory } from '../unit/media/recording.ts';
import { recordTracks, splitSet } from '../unit/media/separateTracks.ts';

/** A recording of several tracks is finished in one piece, wherever the first try ended. */

const ffmpeg = await ffmpegPath();
const real = ffmpeg ?? '';
const withFfmpeg = test.skipIf(ffmpeg === undefined);
const { signal } = new AbortController();

let cleanUp: AsyncDisposableStack;
let recorded = '';
beforeAll(async () => {
  cleanUp = new AsyncDisposableStack();
  if (ffmpeg === undefined) return;
  const source = cleanUp.use(await temporaryDirectory()).path;
  await splitSet(real, source, { set: 'ts', from: 0, to: 2 });
  await mkdir(join(source, 'text'));
  for (const number of [0, 1, 2]) {
    const map = 'X-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000';
    const cue = `00:0${number}.400 --> 00:0${number}.600\nsecond ${number}`;
    for (const track of ['subtitles-de', 'subtitles-en']) {
      const path = join(source, `text/${track}-00${number}.vtt`);
      await writeFile(path, `WEBVTT\n${map}\n\n${cue} of ${track}\n`);
    }
  }
  recorded = cleanUp.use(await temporaryDirectory()).path;
  const records = await recordTracks(source, recorded, [
    { track: 'main', set: 'ts', from: 0, to: 2 },
    { track: 'audio-en', set: 'ts', from: 0, to: 2 },
    { track: 'subtitles-de', set: 'text', from: 0, to: 2 },
    { track: 'subtitles-en', set: 'text', from: 0, to: 2 },
  ]);
  const journal = await openJournal(recorded, { clock: systemClock });
  await journal.append([...records, { t: 'ended', at: STARTED_AT, why: 'endlist', evidence: {} }]);
  await journal.close();
}, 60_000);
afterAll(async () => await cleanUp.disposeAsync());

async function setup() {
  const { path: workplace } = cleanUp.use(await temporaryDirectory());
  await cp(recorded, join(workplace, 'recording'), { recursive: true });
  const finish = async (options: FinishingOptions = {}): Promise<{ outcome: string }> => {
    const part = finishingIn(workplace, options);
    await part.mux(jobIn(workplace), signal);
    return await part.upload(jobIn(workplace), signal);
  };
  return { workplace, finish };
}

async function expectFinished(workplace: string): Promise<void> {
  expect(await filesBelow(join(workplace, 'films'))).toEqual([
    'film.de.vtt',
    'film.en.vtt',
    'film.manifest.json',
    'film.mp4',
  ]);
  const manifest = await readManifestIn(workplace);
  expect(manifest).toMatchObject({ outcome: 'complete', verified: true });
  expect(manifest.files[0]?.tracks.map(({ track }) => track)).toEqual(['main', 'audio-en']);
  for (const { file, checksum } of [...manifest.files, ...manifest.sidecars]) {
    expect(sha256(await readFile(join(workplace, 'films', file)))).toBe(checksum);
  }
  expect(await filesBelow(join(workplace, 'recording'))).toEqual([
    'finish/destination.json',
    'finish/mux.json',
    'finish/pictures.json',
    'finish/uploaded.json',
    'journal.ndjson',
  ]);
}

// Those that only a recording with several tracks has, and the ones around them; `finish.test.ts` goes through all others.
withFfmpeg.each([
  'write the subtitles of run-1.mp4',
  'save the result',
  'put film.de.vtt',
  'put film.en.vtt',
  'put film.manifest.json',
  'remove recording/text/subtitles-de-001.vtt',
  'remove recording/finish/run-1.en.vtt',
])(
  'an error before "%s" is made good by trying again',
  async (step) => {
    const { workplace, finish } = await setup();
    const broken = finish({
      before: (name) => {
        if (name.replace(`${workplace}/`, '') === step) throw new Error('injected');
      },
    });
    await expect(broken).rejects.toThrow('injected');
    expect(await finish()).toEqual({ outcome: 'complete' });
    await expectFinished(workplace);
  },
  60_000,
);

withFfmpeg(
  'a muxer whose node was killed leaves alone what the next one makes',
  async () => {
    const { workplace, finish } = await setup();
    const child = join(import.meta.dirname, '../unit/media/dyingFinish.ts');
    const running = execa(process.execPath, [child, workplace, '0'], { reject: false });
    const unfinished = async (): Promise<string[]> =>
      (await filesBelow(join(workplace, 'recording/finish'))).filter((name) =>
        /^run-1\.mp4.*\.tmp$/.test(name),
      );
    await vi.waitFor(async () => expect(await unfinished()).toHaveLength(1), {
      timeout: 20_000,
      interval: 5,
    });
    const [left] = await unfinished();
    running.kill('SIGKILL');
    await running;
    let names: Promise<string[]> | undefined;
    const finished = await finish({
      before: (step) => {
        if (step === 'name run-1.mp4') names = unfinished();
      },
    });
    expect(finished).toEqual({ outcome: 'complete' });
    expect(await names).not.toContain(left);
    await expectFinished(workplace);
  },
  60_000,
);
