import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { openJournal } from '../../src/ledger/journal.ts';
import type { LedgerRecord } from '../../src/ledger/record.ts';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { parseWebVtt } from '../../src/media/subtitles/webVtt.ts';
import { ffmpegPath } from '../support/tools.ts';
import { filesBelow, finishingIn, jobIn, readManifestIn } from '../unit/media/finishing.ts';
import { STARTED_AT, temporaryDirectory } from '../unit/media/recording.ts';
import {
  packetTimes,
  recordTracks,
  type Shot,
  sourceTimes,
  splitSet,
} from '../unit/media/separateTracks.ts';

const ffmpeg = await ffmpegPath();
const real = ffmpeg ?? '';
const ZERO_AT = Date.UTC(2026, 2, 1, 12);

let cleanUp: AsyncDisposableStack;
let source = '';
/** The set's first picture on its own clock, seconds. */
let zero = 0;
beforeAll(async () => {
  cleanUp = new AsyncDisposableStack();
  if (ffmpeg === undefined) return;
  source = cleanUp.use(await temporaryDirectory()).path;
  await splitSet(real, source, { set: 'ts', from: 0, to: 7 });
  zero = Math.min(...(await sourceTimes(real, 'ts')).values());
  await mkdir(join(source, 'text'));
  // A cue in the middle of each second, and one that goes from the third to the fifth, said by each of them.
  for (let number = 0; number < 8; number++) {
    const map = `X-TIMESTAMP-MAP=MPEGTS:${Math.round(zero * 90_000)},LOCAL:00:00:00.000`;
    const long = number >= 2 && number <= 4 ? '\n00:02.100 --> 00:04.900\nlong\n' : '';
    await writeFile(
      join(source, `text/subtitles-de-00${number}.vtt`),
      `WEBVTT\n${map}\n\n00:0${number}.400 --> 00:0${number}.600\nsecond ${number}\n${long}`,
    );
  }
}, 120_000);
afterAll(async () => await cleanUp.disposeAsync());

async function setup(shots: readonly Shot[], options: { muxer: string; more?: LedgerRecord[] }) {
  const { path: workplace } = cleanUp.use(await temporaryDirectory());
  const directory = join(workplace, 'recording');
  await mkdir(directory);
  const records = await recordTracks(source, directory, shots);
  const end: LedgerRecord = { t: 'ended', at: STARTED_AT, why: 'endlist', evidence: {} };
  const journal = await openJournal(directory, { clock: systemClock });
  await journal.append([...records, ...(options.more ?? []), end]);
  await journal.close();
  const version = (await ffmpegVersion(real)) ?? 'unknown';
  const finish = finishingIn(
    workplace,
    options.muxer === 'ffmpeg' ? { ffmpeg: { path: real, version } } : {},
  );
  const run = async (): Promise<{ outcome: string }> => {
    const { signal } = new AbortController();
    await finish.mux(jobIn(workplace), signal);
    return await finish.upload(jobIn(workplace), signal);
  };
  return { workplace, directory, run };
}

async function cuesIn(workplace: string, name = 'film.de.vtt'): Promise<[number, string][]> {
  const text = await readFile(join(workplace, 'films', name), 'utf8');
  return (parseWebVtt(text)?.cues ?? []).map((cue) => [cue.startSeconds, cue.text]);
}

const mark = (tag: string, msn: number): LedgerRecord => ({
  ...{ t: 'mark', track: 'main', epoch: 0, msn, at: 0, kind: 'cue', tag, value: '' },
});

describe.skipIf(ffmpeg === undefined).each(['ffmpeg', 'mediabunny'])('with %s', (muxer) => {
  test('subtitles lie beside the film, in step with it, and everything is in the manifest', async () => {
    const { workplace, directory, run } = await setup(
      [
        { track: 'main', set: 'ts', from: 1, to: 7, zeroAt: ZERO_AT },
        { track: 'audio-en', set: 'ts', from: 1, to: 7, lost: [3], zeroAt: ZERO_AT },
        { track: 'subtitles-de', set: 'text', from: 1, to: 7, lost: [6], zeroAt: ZERO_AT },
      ],
      {
        muxer,
        more: [
          mark('EXT-X-CUE-OUT', 103),
          {
            ...mark('EXT-X-DATERANGE', 101),
            kind: 'daterange',
            id: 'ad',
            startsAt: ZERO_AT + 4_500,
            durationMs: 1_000,
          } as LedgerRecord,
        ],
      },
    );
    expect(await run()).toEqual({ outcome: 'gaps' });
    const files = await filesBelow(join(workplace, 'films'));
    expect(files.filter((file) => !file.endsWith('.jpg'))).toEqual([
      'film.de.vtt',
      'film.manifest.json',
      'film.mp4',
    ]);
    const manifest = await readManifestIn(workplace);
    expect(manifest).toMatchObject({
      verified: true,
      wallClock: { from: ZERO_AT + 1_000, until: ZERO_AT + 8_000 },
      checksums: 'sha256',
      tracks: [
        { track: 'main', stored: 7, lost: 0, files: ['film.mp4'], containers: ['ts'] },
        { track: 'audio-en', language: 'en', stored: 6, lost: 1, files: ['film.mp4'] },
        { track: 'subtitles-de', kind: 'subtitles', stored: 6, lost: 1, files: ['film.de.vtt'] },
      ],
      files: [{ muxer, file: 'film.mp4' }],
      sidecars: [
        {
          ...{ file: 'film.de.vtt', of: 'film.mp4', language: 'de', muxed: muxer === 'ffmpeg' },
          ...{ cues: 7, outside: 0, unplaced: 0 },
        },
      ],
      marks: {
        count: 2,
        list: [
          { tag: 'EXT-X-CUE-OUT', wallClock: ZERO_AT + 4_000 },
          { tag: 'EXT-X-DATERANGE', wallClock: ZERO_AT + 4_500 },
        ],
      },
    });
    // The film begins with the second second.
    const offsets = manifest.marks.list.map(({ at }) => at?.offsetMs ?? 0);
    expect(offsets[0]).toBeGreaterThan(2_900);
    expect(offsets[0]).toBeLessThan(3_100);
    expect((offsets[1] ?? 0) - (offsets[0] ?? 0)).toBe(500);
    const cues = await cuesIn(workplace);
    expect(cues.map(([, text]) => text)).toEqual([
      'second 1',
      'long',
      'second 2',
      'second 3',
      'second 4',
      'second 5',
      'second 7',
    ]);
    const film = await packetTimes(real, join(workplace, 'films/film.mp4'));
    const times = await sourceTimes(real, 'ts');
    const shift = (film[0]?.seconds ?? 0) - (times.get(film[0]?.hash ?? '') ?? 0);
    for (const [start, text] of cues) {
      const said = text === 'long' ? 2.1 : Number(text.slice(-1)) + 0.4;
      expect(Math.abs(start - (zero + said + shift))).toBeLessThan(0.005);
    }
    const { stderr } = await execa(real, ['-i', join(workplace, 'films/film.mp4')], {
      reject: false,
    });
    expect(/Subtitle: mov_text/.test(stderr)).toBe(muxer === 'ffmpeg');
    expect(stderr).toContain('(eng)');
    expect((await filesBelow(directory)).filter((file) => !file.startsWith('finish'))).toEqual([
      'journal.ndjson',
    ]);
  }, 60_000);

  test('where everything is missing the film is shorter, and so are its subtitles', async () => {
    const { workplace, run } = await setup(
      [
        { track: 'main', set: 'ts', from: 0, to: 7, lost: [2, 3] },
        { track: 'audio-en', set: 'ts', from: 0, to: 7, lost: [2, 3] },
        { track: 'subtitles-de', set: 'text', from: 0, to: 7 },
      ],
      { muxer },
    );
    expect(await run()).toEqual({ outcome: 'gaps' });
    const manifest = await readManifestIn(workplace);
    expect(manifest).toMatchObject({ verified: true, sidecars: [{ outside: 2 }] });
    const cues = new Map((await cuesIn(workplace)).map(([start, text]) => [text, start]));
    expect(cues.get('second 1')).toBeCloseTo(1.4, 0);
    expect(cues.get('second 4')).toBeCloseTo(2.4, 0);
    expect(cues.has('second 2')).toBe(false);
  }, 60_000);

  test('a damaged segment makes gaps, is named, and keeps the others on disk', async () => {
    const { workplace, directory, run } = await setup(
      [
        { track: 'main', set: 'ts', from: 0, to: 4 },
        { track: 'audio-en', set: 'ts', from: 0, to: 4 },
        { track: 'subtitles-de', set: 'text', from: 0, to: 4 },
      ],
      { muxer },
    );
    await rm(join(directory, 'ts/audio-002.mpegts'));
    await writeFile(join(directory, 'text/subtitles-de-001.vtt'), 'WEBVTT\n');
    expect(await run()).toEqual({ outcome: 'gaps' });
    const manifest = await readManifestIn(workplace);
    expect(manifest.verified).toBe(false);
    expect(manifest.damaged).toMatchObject([
      { track: 'audio-en', msn: 102, file: 'ts/audio-002.mpegts' },
      { track: 'subtitles-de', msn: 101 },
    ]);
    expect(manifest.files).toMatchObject([{ muxer, verification: { verified: true } }]);
    expect((await filesBelow(directory)).filter((file) => file.startsWith('ts/'))).toHaveLength(9);
  }, 60_000);
});
