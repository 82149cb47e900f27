import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { muxRecording } from '../../src/media/mux/muxRecording.ts';
import type { MuxResult } from '../../src/media/mux/muxResult.ts';
import { isVerified } from '../../src/media/mux/muxResult.ts';
import { ffmpegPath } from '../support/tools.ts';
import {
  ledgerOf,
  recordsOf,
  sha256,
  storeRecording,
  temporaryDirectory,
} from '../unit/media/recording.ts';
import {
  packetTimes,
  recordTracks,
  type Shot,
  sourceTimes,
  splitSet,
} from '../unit/media/separateTracks.ts';

const ffmpeg = await ffmpegPath();
const real = ffmpeg ?? '';
const describeWithFfmpeg = describe.skipIf(ffmpeg === undefined);

let cleanUp: AsyncDisposableStack;
let source = '';
let times: Map<string, number>;
let hiTimes: Map<string, number>;
beforeAll(async () => {
  cleanUp = new AsyncDisposableStack();
  if (ffmpeg === undefined) return;
  source = cleanUp.use(await temporaryDirectory()).path;
  await splitSet(real, source, { set: 'ts', from: 0, to: 9 });
  await splitSet(real, source, { set: 'ts', from: 20, to: 24 });
  await splitSet(real, source, { set: 'hi', from: 0, to: 5 });
  times = await sourceTimes(real, 'ts');
  hiTimes = await sourceTimes(real, 'hi');
}, 120_000);
afterAll(async () => await cleanUp.disposeAsync());

async function setup(shots: readonly Shot[], muxer: string) {
  const { path: directory } = cleanUp.use(await temporaryDirectory());
  const ledger = ledgerOf(await recordTracks(source, directory, shots));
  const outputDirectory = join(directory, 'finish');
  const version = (await ffmpegVersion(real)) ?? 'unknown';
  const result = await muxRecording({
    directory,
    ledger,
    outputDirectory,
    signal: new AbortController().signal,
    log: () => undefined,
    ...(muxer === 'ffmpeg' && { ffmpeg: { path: real, version } }),
  });
  return { directory, ledger, outputDirectory, result };
}

/** A packet that was found in a finished file: when it played at the source, and by how much it was moved. */
interface Moved {
  readonly source: number;
  readonly at: number;
  readonly shift: number;
}

/** The packets of a finished file, stream by stream. */
async function movedPackets(
  { outputDirectory, result }: { outputDirectory: string; result: MuxResult },
  file = 0,
): Promise<Moved[][]> {
  const path = join(outputDirectory, result.files[file]?.file ?? '');
  const streams: Moved[][] = [];
  for (const { stream, seconds, hash } of await packetTimes(real, path)) {
    const at = times.get(hash) ?? hiTimes.get(hash);
    if (at === undefined) throw new Error(`a packet of stream ${stream} is nobody's`);
    streams[stream] ??= [];
    streams[stream].push({ source: at, at: seconds, shift: seconds - at });
  }
  return streams;
}

/** The different amounts by which packets were moved, in order, to a hundredth of a second; longer steps than a frame count. */
function shifts(packets: readonly Moved[]): number[] {
  const found: number[] = [];
  for (const { shift } of packets) {
    const last = found.at(-1);
    if (last === undefined || Math.abs(shift - last) > 0.015) found.push(shift);
  }
  return found;
}

/** Sound that played with a picture at the source plays with it in the file. */
function expectInStep(streams: readonly Moved[][]): void {
  const [video = [], ...audios] = streams;
  for (const audio of audios) {
    expect(audio.length).toBeGreaterThan(0);
    for (const packet of audio) {
      // Pictures that played with it at the source; where a playlist breaks they may have gone two ways.
      const near = video.filter(({ source: at }) => Math.abs(at - packet.source) < 0.15);
      const off = near.map((picture) => Math.abs(picture.shift - packet.shift));
      if (off.length > 0) expect(Math.min(...off)).toBeLessThan(0.03);
    }
  }
}

const count = (packets: readonly Moved[] | undefined, from: number, to: number): number =>
  (packets ?? []).filter(({ at }) => at >= from && at < to).length;

describeWithFfmpeg.each(['ffmpeg', 'mediabunny'])('with %s', (muxer) => {
  test('gaps in either track leave holes of their length, and nothing else moves', async () => {
    const made = await setup(
      [
        { track: 'main', set: 'ts', from: 0, to: 9, lost: [7] },
        { track: 'audio-en', set: 'ts', from: 0, to: 9, lost: [3, 4] },
        { track: 'audio-de', set: 'ts', from: 1, to: 8 },
      ],
      muxer,
    );
    expect(made.result).toMatchObject({ damaged: [], unjoined: [] });
    const [file] = made.result.files;
    expect(made.result.files).toHaveLength(1);
    expect(file).toMatchObject({
      muxer,
      rejected: [],
      segments: 25,
      verification: { verified: true, complaints: [] },
      companions: [
        { track: 'audio-de', pairedBy: 'clock' },
        { track: 'audio-en', pairedBy: 'clock' },
      ],
      tracks: [
        { kind: 'video', track: 'main' },
        { kind: 'audio', track: 'audio-de', language: 'de', name: 'audio-de for people' },
        { kind: 'audio', track: 'audio-en', language: 'en' },
      ],
    });
    const streams = await movedPackets(made);
    const [video, german, english] = streams;
    // One clock, one shift for all.
    for (const stream of [video, german, english]) expect(shifts(stream ?? [])).toHaveLength(1);
    expectInStep(streams);
    expect(Math.abs((video?.[0]?.at ?? 9) - 0)).toBeLessThan(0.1);
    expect(count(video, 7.2, 7.9)).toBe(0);
    expect(count(english, 3.2, 4.8)).toBe(0);
    expect(count(german, 3.2, 4.8)).toBeGreaterThan(50);
    expect(german?.[0]?.at).toBeGreaterThan(0.8);
  }, 60_000);

  test('tracks that break at different places stay in step', async () => {
    const made = await setup(
      [
        { track: 'main', set: 'ts', from: 20, to: 24 },
        { track: 'main', set: 'ts', from: 0, to: 4, discontinuity: 1 },
        { track: 'audio-en', set: 'ts', from: 21, to: 23 },
        { track: 'audio-en', set: 'ts', from: 0, to: 1, discontinuity: 1 },
        { track: 'audio-en', set: 'ts', from: 2, to: 5, discontinuity: 1, epoch: 1 },
      ],
      muxer,
    );
    const [file] = made.result.files;
    expect(made.result.files).toHaveLength(1);
    expect(file).toMatchObject({
      muxer: 'mediabunny',
      verification: { verified: true, complaints: [] },
      companions: [{ track: 'audio-en', pairedBy: 'clock' }],
    });
    const streams = await movedPackets(made);
    expectInStep(streams);
    expect(shifts(streams[0] ?? [])).toHaveLength(2);
    // Sound that ends later than the picture makes the file longer, and is no fault.
    expect(count(streams[1], 10.2, 11)).toBeGreaterThan(30);
  }, 60_000);

  test('a picture that changes splits the file, and the sound at the same place', async () => {
    const made = await setup(
      [
        { track: 'main', set: 'ts', from: 0, to: 2 },
        { track: 'main', set: 'hi', from: 3, to: 5, epoch: 1 },
        { track: 'audio-en', set: 'ts', from: 0, to: 5 },
      ],
      muxer,
    );
    expect(made.result.files).toMatchObject([
      { muxer, tracks: [{ width: 256 }, { track: 'audio-en' }], verification: { verified: true } },
      { muxer, tracks: [{ width: 384 }, { track: 'audio-en' }], verification: { verified: true } },
    ]);
    for (const file of [0, 1]) {
      const streams = await movedPackets(made, file);
      expectInStep(streams);
      expect(count(streams[1], 0, 3.1)).toBeGreaterThan(130);
    }
  }, 60_000);

  test('packed audio is placed by its timestamps', async () => {
    const made = await setup(
      [
        { track: 'main', set: 'ts', from: 0, to: 4 },
        { track: 'audio-en', set: 'ts', as: 'packed', from: 0, to: 4, lost: [2] },
      ],
      muxer,
    );
    expect(made.result.files).toMatchObject([
      {
        muxer: 'mediabunny',
        verification: { verified: true },
        companions: [{ pairedBy: 'clock' }],
      },
    ]);
    const streams = await movedPackets(made);
    expectInStep(streams);
    expect(count(streams[1], 2.2, 2.9)).toBe(0);
  }, 60_000);

  test('sound with nothing beside it plays at its place', async () => {
    const made = await setup(
      [
        { track: 'main', set: 'ts', from: 20, to: 21 },
        { track: 'main', set: 'ts', from: 0, to: 1, discontinuity: 1, lost: [0, 1] },
        { track: 'main', set: 'ts', from: 22, to: 23, discontinuity: 2 },
        { track: 'audio-en', set: 'ts', from: 20, to: 21 },
        { track: 'audio-en', set: 'ts', from: 0, to: 1, discontinuity: 1 },
        { track: 'audio-en', set: 'ts', from: 22, to: 23, discontinuity: 2 },
      ],
      muxer,
    );
    expect(made.result.files).toMatchObject([
      { muxer: 'mediabunny', verification: { verified: true, complaints: [] } },
    ]);
    const streams = await movedPackets(made);
    expectInStep(streams);
    expect(count(streams[0], 2.2, 3.8)).toBe(0);
    expect(count(streams[1], 2.2, 3.8)).toBeGreaterThan(60);
  }, 60_000);
});

test.skipIf(ffmpeg === undefined)(
  'sound that cannot be put beside the picture gets a file of its own, and says why',
  async () => {
    const { result } = await setup(
      [
        { track: 'main', set: 'ts', from: 0, to: 5 },
        { track: 'audio-en', set: 'ts', from: 0, to: 3 },
        // The same sound again, which no track can play at the same time.
        { track: 'audio-en', set: 'ts', from: 2, to: 5, epoch: 1 },
      ],
      'mediabunny',
    );
    expect(result).toMatchObject({
      unjoined: [],
      files: [
        { file: 'run-1.mp4', track: 'main', verification: { verified: true } },
        { file: 'run-2.m4a', track: 'audio-en', segments: 8, verification: { verified: true } },
      ],
    });
    for (const { rejected } of result.files) {
      expect(rejected[0]?.why).toContain('together with audio-en');
      expect(rejected[0]?.why).toContain('timestamps go back');
    }
  },
  60_000,
);

describeWithFfmpeg.each(['ffmpeg', 'mediabunny'])('fragmented MP4 with %s', (muxer) => {
  test.each([
    { lost: { main: [3], audio: [5, 6] }, makes: muxer },
    { lost: { main: [3, 4], audio: [4, 5] }, makes: 'mediabunny' },
  ])(
    'keeps its tracks in step: $lost',
    async ({ lost, makes }) => {
      const { path: directory } = cleanUp.use(await temporaryDirectory());
      const range = { from: 0, to: 8 };
      const ledger = await storeRecording(
        directory,
        recordsOf([
          { set: 'fmp4video', ...range, lost: lost.main },
          { set: 'fmp4audio', track: 'audio-en', ...range, lost: lost.audio },
        ]),
      );
      const version = (await ffmpegVersion(real)) ?? 'unknown';
      const outputDirectory = join(directory, 'finish');
      const result = await muxRecording({
        directory,
        ledger,
        outputDirectory,
        signal: new AbortController().signal,
        log: () => undefined,
        ...(muxer === 'ffmpeg' && { ffmpeg: { path: real, version } }),
      });
      expect(result.files).toMatchObject([
        { muxer: makes, verification: { verified: true, complaints: [] } },
      ]);
      for (const set of ['fmp4video', 'fmp4audio']) {
        for (const [hash, seconds] of await sourceTimes(real, set)) times.set(hash, seconds);
      }
      const streams = await movedPackets({ outputDirectory, result });
      expectInStep(streams);
      const both = lost.main.filter((number) => lost.audio.includes(number)).length;
      expect(streams.map(shifts).map(({ length }) => length)).toEqual([1 + both, 1 + both]);
    },
    60_000,
  );
});

test.skipIf(ffmpeg === undefined)(
  'sound that nobody can read is named, and the picture is muxed without it',
  async () => {
    const { path: directory } = cleanUp.use(await temporaryDirectory());
    const records = await recordTracks(source, directory, [
      { track: 'main', set: 'ts', from: 0, to: 2 },
      { track: 'audio-en', set: 'ts', as: 'video', from: 0, to: 2 },
    ]);
    const garbage = Buffer.alloc(18_800, 0x47);
    const spoilt = [];
    for (const record of records) {
      if (record.t !== 'segment' || record.track === 'main') {
        spoilt.push(record);
        continue;
      }
      const file = `garbage-${record.msn}.mpegts`;
      await writeFile(join(directory, file), garbage);
      spoilt.push({ ...record, file, bytes: garbage.length, checksum: sha256(garbage) });
    }
    const result = await muxRecording({
      directory,
      ledger: ledgerOf(spoilt),
      outputDirectory: join(directory, 'finish'),
      signal: new AbortController().signal,
      log: () => undefined,
    });
    expect(result.files).toMatchObject([{ track: 'main', verification: { verified: true } }]);
    expect(result.unjoined).toMatchObject([{ track: 'audio-en' }]);
    expect(isVerified(result)).toBe(false);
  },
  60_000,
);
