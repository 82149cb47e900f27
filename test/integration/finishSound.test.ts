import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LedgerRecord } from '../../src/ledger/record.ts';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { muxRecording } from '../../src/media/mux/muxRecording.ts';
import { isVerified } from '../../src/media/mux/muxResult.ts';
import { readPackets } from '../support/oracle/packets.ts';
import { describeSet } from '../support/origin/mediaSet.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';
import { filesBelow, finishingIn, jobIn, readManifestIn } from '../unit/media/finishing.ts';
import {
  ledgerOf,
  recordsOf,
  STARTED_AT,
  storeRecording,
  temporaryDirectory,
} from '../unit/media/recording.ts';
import { recordTracks, splitSet } from '../unit/media/separateTracks.ts';

const missing = await whyMissing('ffmpeg');
const ffmpeg = (await ffmpegPath()) ?? '';
const title = (text: string) => (missing === undefined ? text : `${text} (skipped: ${missing})`);
const tool = { path: ffmpeg, version: missing ? '' : ((await ffmpegVersion(ffmpeg)) ?? '') };
const { signal } = new AbortController();
const heard = { set: 'ts', from: 0, to: 3 } as const;
const soundOf = describeSet('ts')
  .segments.slice(0, 4)
  .flatMap(({ audio }) => audio);

let cleanUp: AsyncDisposableStack;
beforeAll(() => {
  cleanUp = new AsyncDisposableStack();
});
afterAll(async () => await cleanUp.disposeAsync());

test.skipIf(missing !== undefined).each(['ffmpeg', 'mediabunny'])(
  title('of separate renditions only the sound is put into the file (%s)'),
  async (muxer) => {
    const { path: directory } = cleanUp.use(await temporaryDirectory());
    const { path: source } = cleanUp.use(await temporaryDirectory());
    await splitSet(ffmpeg, source, heard);
    const tracks = ['main', 'audio-en', 'audio-de'];
    const shots = tracks.map((track) => ({ ...heard, track }));
    const outputDirectory = join(directory, 'finish');
    const result = await muxRecording({
      ...{ directory, outputDirectory, signal, soundOnly: true, log: () => undefined },
      ledger: ledgerOf(await recordTracks(source, directory, shots)),
      ...(muxer === 'ffmpeg' && { ffmpeg: tool }),
    });
    expect(
      result.files.map(({ file, tracks: own }) => [file, own.map(({ kind }) => kind)]),
    ).toEqual([['run-1.m4a', ['audio', 'audio']]]);
    expect(result.files[0]?.verification.complaints).toEqual([]);
    expect(isVerified(result)).toBe(true);
    const found = await readPackets(ffmpeg, join(outputDirectory, 'run-1.m4a'));
    expect(found).toMatchObject({ video: [], audio: soundOf });
  },
  60_000,
);

test.skipIf(missing !== undefined)(
  title('a job for the sound alone ends with sound, under the name it was asked for'),
  async () => {
    const { path: workplace } = cleanUp.use(await temporaryDirectory());
    const directory = join(workplace, 'recording');
    await mkdir(directory);
    const end: LedgerRecord = { t: 'ended', at: STARTED_AT, why: 'source.ended', evidence: {} };
    const source = {
      recorder: 'yt-dlp',
      version: '2023.03.04',
      title: 'Konzert',
      resolver: 'yt-dlp',
    };
    const records = recordsOf([heard], end).map((record): LedgerRecord => {
      if (record.t === 'attempt') return { ...record, recorder: 'yt-dlp' };
      return record.t === 'started' ? { ...record, source } : record;
    });
    await storeRecording(directory, records);
    const job = jobIn(workplace, { spec: { audioOnly: true } });
    const finish = finishingIn(workplace, { ffmpeg: tool });
    await finish.mux(job, signal);
    expect(await finish.upload(job, signal)).toEqual({ outcome: 'complete' });
    const films = join(workplace, 'films');
    expect(await filesBelow(films)).toEqual(['film.manifest.json', 'film.mp4']);
    expect(await readPackets(ffmpeg, join(films, 'film.mp4'))).toMatchObject({
      ...{ video: [], audio: soundOf },
    });
    expect(await readManifestIn(workplace)).toMatchObject({
      audioOnly: true,
      about: { title: 'Konzert', recorder: { name: 'yt-dlp', version: '2023.03.04' } },
      proof: { basis: 'timestamps', recorders: ['yt-dlp'] },
      files: [{ file: 'film.mp4', leftOut: ['video'] }],
      missingPictures: [{ why: 'only the sound is wanted' }, {}],
      verified: true,
    });
    const show = ['-v', 'error', '-show_entries', 'format_tags=title', '-of', 'csv=p=0'];
    const ffprobe = join(ffmpeg, '../ffprobe');
    expect((await execa(ffprobe, [...show, join(films, 'film.mp4')])).stdout).toBe('Konzert');
    expect(await filesBelow(join(directory, 'ts'))).toEqual([]);
  },
  60_000,
);
