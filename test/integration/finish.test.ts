import { writeFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LedgerRecord } from '../../src/ledger/record.ts';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { readPackets } from '../support/oracle/packets.ts';
import { describeSet } from '../support/origin/mediaSet.ts';
import { ffmpegPath } from '../support/tools.ts';
import {
  type FinishingOptions,
  filesBelow,
  finishingIn,
  jobIn,
  readManifestIn,
} from '../unit/media/finishing.ts';
import {
  recordsOf,
  STARTED_AT,
  type Stretch,
  sha256,
  storeRecording,
  temporaryDirectory,
} from '../unit/media/recording.ts';

const ffmpeg = await ffmpegPath();
const { signal } = new AbortController();
const endlist: LedgerRecord = { t: 'ended', at: STARTED_AT + 9_000, why: 'endlist', evidence: {} };
const SHORT: Stretch[] = [{ set: 'ts', from: 0, to: 2 }];

let cleanUp: AsyncDisposableStack;
beforeAll(() => {
  cleanUp = new AsyncDisposableStack();
});
afterAll(async () => await cleanUp.disposeAsync());

async function setup(stretches: readonly Stretch[] = SHORT, end: LedgerRecord = endlist) {
  const { path: workplace } = cleanUp.use(await temporaryDirectory());
  const directory = join(workplace, 'recording');
  const films = join(workplace, 'films');
  await mkdir(directory);
  const ledger = await storeRecording(directory, recordsOf(stretches, end));
  const finish = async (
    options: FinishingOptions = {},
    job = jobIn(workplace),
  ): Promise<{ outcome: string }> => {
    const part = finishingIn(workplace, options);
    await part.mux(job, signal);
    return await part.upload(job, signal);
  };
  return { workplace, directory, films, ledger, finish };
}

test('a recording is finished: files, manifest, and the journal alone stays behind', async () => {
  const { workplace, directory, films, ledger, finish } = await setup();
  expect(await finish()).toEqual({ outcome: 'complete' });
  expect(await filesBelow(films)).toEqual(['film.manifest.json', 'film.mp4']);
  expect(await filesBelow(directory)).toEqual([
    'finish/destination.json',
    'finish/mux.json',
    'finish/pictures.json',
    'finish/uploaded.json',
    'journal.ndjson',
  ]);
  const manifest = await readManifestIn(workplace);
  expect(manifest).toMatchObject({
    schema: 'kennel.manifest/1',
    source: 'https://live.example/a/index.m3u8',
    outcome: 'complete',
    verified: true,
    proof: { advertised: 3, stored: 3, lost: [] },
    missingPictures: [{ kind: 'poster', why: 'no ffmpeg' }, { kind: 'sprite' }],
  });
  expect(manifest.segments[0]?.rows.map(([msn, , , checksum]) => [msn, checksum])).toEqual(
    ledger.segments().map(({ msn, checksum }) => [msn, checksum]),
  );
  const film = await readFile(join(films, 'film.mp4'));
  expect(manifest.files).toMatchObject([
    { file: 'film.mp4', bytes: film.length, checksum: sha256(film), muxer: 'mediabunny' },
  ]);
  expect(JSON.stringify(manifest)).not.toContain('secret');
}, 30_000);

test('finishing again changes nothing, under a newer token and by a newer Kennel too', async () => {
  const { films, finish } = await setup();
  const died = finish({
    token: 1,
    before: (step) => {
      if (step === 'write the receipt') throw new Error('the node dies');
    },
  });
  await expect(died).rejects.toThrow('the node dies');
  const before = await readFile(join(films, 'film.manifest.json'), 'utf8');
  expect(await finish({ token: 2, kennel: '9.9.9' })).toEqual({ outcome: 'complete' });
  expect(await finish({ token: 3 })).toEqual({ outcome: 'complete' });
  expect(await readFile(join(films, 'film.manifest.json'), 'utf8')).toBe(before);
}, 30_000);

test.skipIf(ffmpeg === undefined)(
  'with ffmpeg there are pictures, and every packet is there',
  async () => {
    const { workplace, films, finish } = await setup([{ set: 'ts', from: 0, to: 9, lost: [4] }]);
    const path = ffmpeg ?? '';
    const version = (await ffmpegVersion(path)) ?? '';
    expect(await finish({ ffmpeg: { path, version } })).toEqual({ outcome: 'gaps' });
    expect(await filesBelow(films)).toEqual([
      'film.jpg',
      'film.manifest.json',
      'film.mp4',
      'film.sprite.jpg',
    ]);
    const manifest = await readManifestIn(workplace);
    expect(manifest.files[0]).toMatchObject({ muxer: 'ffmpeg', toolVersion: version });
    expect(manifest.proof.lost).toMatchObject([{ count: 1, cause: 'http.404' }]);
    const segments = describeSet('ts').segments.filter((_, number) => number < 10 && number !== 4);
    const packets = await readPackets(path, join(films, 'film.mp4'));
    expect(packets.video).toEqual(segments.flatMap(({ video }) => video));
  },
  30_000,
);

test('a file of somebody else is never overwritten', async () => {
  const { workplace, films, finish } = await setup();
  await mkdir(films);
  await writeFile(join(films, 'film.mp4'), 'holiday');
  await writeFile(join(films, 'film (2).manifest.json'), '{}');
  await finish();
  expect(await readFile(join(films, 'film.mp4'), 'utf8')).toBe('holiday');
  expect(await filesBelow(films)).toEqual([
    'film (2).manifest.json',
    'film (3).manifest.json',
    'film (3).mp4',
    'film.mp4',
  ]);
  expect((await readManifestIn(workplace, 'film (3)')).files[0]?.file).toBe('film (3).mp4');
}, 30_000);

test('a name that somebody takes in the middle is given up, and nothing of ours stays under it', async () => {
  const { films, finish } = await setup();
  let puts = 0;
  await finish({
    before: (step) => {
      if (step !== 'put film.manifest.json' || puts++ > 0) return;
      // What another writer would do in this very moment.
      writeFileSync(join(films, 'film.manifest.json'), '{"of":"somebody else"}');
    },
  });
  expect(await filesBelow(films)).toEqual([
    'film (2).manifest.json',
    'film (2).mp4',
    'film.manifest.json',
  ]);
}, 30_000);

test('another manifest of the same job is a conflict: nothing is replaced and the segments stay', async () => {
  const { workplace, directory, films, finish } = await setup();
  const died = finish({
    before: (step) => {
      if (step === 'write the receipt') throw new Error('the node dies');
    },
  });
  await expect(died).rejects.toThrow('the node dies');
  const manifest = await readManifestIn(workplace);
  const other = { ...manifest, token: 0, outcome: 'gaps' };
  await writeFile(join(films, 'film.manifest.json'), JSON.stringify(other));
  const film = await readFile(join(films, 'film.mp4'));
  // Made anew, its bytes may differ.
  await rm(join(directory, 'finish/mux.json'));
  await expect(finish()).rejects.toMatchObject({ code: 'destination.conflict' });
  expect((await readFile(join(films, 'film.mp4'))).equals(film)).toBe(true);
  expect((await filesBelow(directory)).filter((file) => file.startsWith('ts/'))).toHaveLength(3);
}, 30_000);

test('a manifest that an older Kennel left is made anew under the same name, with what belongs to it', async () => {
  const { workplace, directory, films, finish } = await setup();
  const died = finish({
    before: (step) => {
      if (step === 'write the receipt') throw new Error('the node dies');
    },
  });
  await expect(died).rejects.toThrow('the node dies');
  const manifest = await readManifestIn(workplace);
  const { tracks: _, marks: __, sidecars: ___, ...older } = { ...manifest, kennel: '0.0.9' };
  await writeFile(join(films, 'film.manifest.json'), JSON.stringify(older));
  // It put more files than this Kennel will, and one that is not what this one makes.
  await writeFile(join(films, 'film.mp4'), 'made by the older one');
  await writeFile(join(films, 'film-2.m4a'), 'sound apart');
  await writeFile(join(films, 'film-3.m4a'), 'holiday');
  const claim = JSON.parse(await readFile(join(directory, 'finish/destination.json'), 'utf8'));
  claim.ours['film.mp4'] = [sha256('made by the older one')];
  claim.ours['film-2.m4a'] = [sha256('sound apart')];
  claim.ours['film-3.m4a'] = [sha256('not a holiday')];
  await writeFile(join(directory, 'finish/destination.json'), JSON.stringify(claim));
  await rm(join(directory, 'finish/mux.json'));
  expect(await finish()).toEqual({ outcome: 'complete' });
  expect(await filesBelow(films)).toEqual(['film-3.m4a', 'film.manifest.json', 'film.mp4']);
  const film = await readFile(join(films, 'film.mp4'));
  expect((await readManifestIn(workplace)).files).toMatchObject([{ checksum: sha256(film) }]);
}, 30_000);

test('an older manifest of the same job about other segments is a conflict', async () => {
  const { workplace, directory, films, finish } = await setup();
  const died = finish({
    before: (step) => {
      if (step === 'write the receipt') throw new Error('the node dies');
    },
  });
  await expect(died).rejects.toThrow('the node dies');
  const { tracks: _, ...older } = await readManifestIn(workplace);
  const other = { ...older, proof: { ...older.proof, checksum: 'of other segments' } };
  await writeFile(join(films, 'film.manifest.json'), JSON.stringify(other));
  await expect(finish()).rejects.toMatchObject({ code: 'destination.conflict' });
  expect(await filesBelow(films)).toEqual(['film.manifest.json', 'film.mp4']);
  expect((await filesBelow(directory)).filter((file) => file.startsWith('ts/'))).toHaveLength(3);
}, 30_000);

test('segments that are to be kept are kept', async () => {
  const { workplace, directory, finish } = await setup();
  await finish({}, jobIn(workplace, { spec: { keepSegments: true } }));
  expect((await filesBelow(directory)).filter((file) => file.startsWith('ts/'))).toHaveLength(3);
}, 30_000);

test('a file whose duration is not what the playlists said is stored, but its segments are kept', async () => {
  const { workplace, directory, finish } = await setup();
  const records = recordsOf(SHORT, endlist).map((record) =>
    record.t === 'segment' ? { ...record, durationMs: 4_004 } : record,
  );
  await rm(join(directory, 'journal.ndjson'));
  await storeRecording(directory, records);
  await finish();
  const manifest = await readManifestIn(workplace);
  expect(manifest).toMatchObject({ verified: false });
  expect(manifest.files[0]?.verification).toMatchObject({
    packets: { equal: true },
    duration: { expectedMs: 12_012, fits: false },
  });
  expect((await filesBelow(directory)).filter((file) => file.startsWith('ts/'))).toHaveLength(3);
}, 30_000);

/** What a finished recording looks like, whoever finished it and however often it was begun. */
async function expectFinished(workplace: string): Promise<void> {
  expect(await filesBelow(join(workplace, 'films'))).toEqual(['film.manifest.json', 'film.mp4']);
  const manifest = await readManifestIn(workplace);
  const film = await readFile(join(workplace, 'films/film.mp4'));
  expect(manifest).toMatchObject({ outcome: 'complete', verified: true });
  expect(manifest.files).toMatchObject([{ file: 'film.mp4', checksum: sha256(film) }]);
  expect(await filesBelow(join(workplace, 'recording'))).toEqual([
    'finish/destination.json',
    'finish/mux.json',
    'finish/pictures.json',
    'finish/uploaded.json',
    'journal.ndjson',
  ]);
}

test('an error before any one change is made good by trying again', async () => {
  let failAt = 1;
  for (let failed = true; failed; failAt++) {
    const { workplace, finish } = await setup();
    let steps = 0;
    const broken = finish({
      before: () => {
        if (++steps === failAt) throw new Error('injected');
      },
    });
    failed = await broken.then(
      () => false,
      (error: unknown) => {
        expect(String(error)).toContain('injected');
        return true;
      },
    );
    expect(await finish()).toEqual({ outcome: 'complete' });
    await expectFinished(workplace);
  }
  // Ten changes and more were tried, not none.
  expect(failAt).toBeGreaterThan(12);
}, 240_000);

test.each([2, 3, 4, 6, 7, 8, 10])(
  'a kill before change %i is made good by trying again',
  async (nth) => {
    const { workplace, finish } = await setup();
    const child = join(import.meta.dirname, '../unit/media/dyingFinish.ts');
    const died = await execa(process.execPath, [child, workplace, String(nth)], { reject: false });
    expect(died.signal).toBe('SIGKILL');
    expect(await finish()).toEqual({ outcome: 'complete' });
    await expectFinished(workplace);
  },
  30_000,
);
