import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { LedgerRecord } from '../../../src/ledger/record.ts';
import { keyFor } from '../../../src/media/destination.ts';
import { runsOf } from '../../../src/media/runsOf.ts';
import { joinCues } from '../../../src/media/subtitles/joinCues.ts';
import { placeTexts } from '../../../src/media/subtitles/placeTexts.ts';
import { formatWebVtt, parseWebVtt } from '../../../src/media/subtitles/webVtt.ts';
import { writeSubtitles } from '../../../src/media/subtitles/writeSubtitles.ts';
import { outputTime, reckonedMap } from '../../../src/media/timing/outputMap.ts';
import { JOB_ID, ledgerOf, temporaryDirectory } from './recording.ts';

test('a segment is read with its timestamp map, its styles and what its cues say', () => {
  const text =
    '\uFEFFWEBVTT - German\r\nX-TIMESTAMP-MAP=LOCAL:00:00:10.000,MPEGTS:900000\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\n' +
    'NOTE to nobody\r\n\r\n7\r\n00:11.000 --> 00:00:12.500 align:start\r\nGuten\r\nTag\r\n\r\nbroken --> cue\r\nx\r\n';
  expect(parseWebVtt(text)).toEqual({
    timestampMap: { mediaSeconds: 10, localSeconds: 10 },
    blocks: ['STYLE\n::cue { color: red }'],
    cues: [
      { id: '7', startSeconds: 11, endSeconds: 12.5, settings: 'align:start', text: 'Guten\nTag' },
    ],
  });
  expect(parseWebVtt('<html>WEBVTT</html>')).toBeUndefined();
});

test('what is written is read again as it was', () => {
  const cues = [
    { startSeconds: 0, endSeconds: 3_723.004, settings: '', text: 'a' },
    { startSeconds: 1.5, endSeconds: 2, settings: 'line:0', text: 'b\nc', id: 'x' },
  ];
  const text = formatWebVtt({ cues, blocks: ['STYLE\n::cue {}'] });
  expect(text).toContain('00:00:00.000 --> 01:02:03.004\na\n');
  expect(parseWebVtt(text)).toEqual({ cues, blocks: ['STYLE\n::cue {}'] });
});

const cue = (...[segment, startSeconds, endSeconds, text]: [number, number, number, string]) => ({
  ...{ segment, startSeconds, endSeconds, text, settings: '' },
});
const said = (cues: Parameters<typeof joinCues>[0]) =>
  joinCues(cues).map(({ startSeconds, endSeconds, text }) => [startSeconds, endSeconds, text]);

test('a cue that several segments say is one cue', () => {
  expect(
    said([
      cue(0, 1, 7, 'whole'),
      cue(1, 1, 7, 'whole'),
      cue(2, 1, 7, 'whole'),
      cue(2, 8, 9, 'new'),
    ]),
  ).toEqual([
    [1, 7, 'whole'],
    [8, 9, 'new'],
  ]);
  expect(said([cue(0, 1, 2, 'cut'), cue(1, 2.001, 4, 'cut'), cue(2, 4, 5, 'cut')])).toEqual([
    [1, 5, 'cut'],
  ]);
});

test('what is really said twice stays said twice, and overlapping cues stay', () => {
  const twice = [cue(0, 1, 2, 'No!'), cue(0, 2, 3, 'No!')];
  expect(said(twice)).toHaveLength(2);
  expect(said([...twice, cue(1, 1, 2, 'No!'), cue(1, 2, 3, 'No!')])).toHaveLength(2);
  expect(said([cue(0, 1, 3, 'one'), cue(0, 2, 4, 'other'), cue(1, 8, 9, 'one')])).toEqual([
    [1, 3, 'one'],
    [2, 4, 'other'],
    [8, 9, 'one'],
  ]);
});

/** A main track of 2 s segments and a subtitle track beside it; `texts` are its segments, two seconds each. */
function setup(
  main: readonly { clock: number; discontinuity: number }[],
  texts: readonly { text: string; discontinuity?: number }[],
) {
  const records: LedgerRecord[] = [{ t: 'recording', v: 1, jobId: JOB_ID, at: 0 }];
  const common = { epoch: 0, at: 0, durationMs: 2_000, bytes: 1, checksum: '' };
  for (const [msn, { discontinuity }] of main.entries()) {
    const file = String(msn);
    records.push({
      t: 'segment',
      ...common,
      track: 'main',
      msn,
      file,
      container: 'ts',
      discontinuity,
    });
  }
  for (const [msn, { discontinuity = 0 }] of texts.entries()) {
    const track = 'subtitles-de';
    const file = `t${msn}`;
    records.push({ t: 'segment', ...common, track, msn, file, container: 'webvtt', discontinuity });
  }
  const ledger = ledgerOf(records);
  const runs = runsOf(ledger, {
    measuredOf: ({ file }) => ({ startSeconds: main[Number(file)]?.clock ?? 0 }),
  }).map(({ run }) => run);
  const segments = ledger.segments('subtitles-de').map((segment, index) => {
    const text = parseWebVtt(`WEBVTT\n${texts[index]?.text ?? ''}`);
    if (text === undefined) throw new Error('no WebVTT');
    return { segment, text };
  });
  const info = { track: 'subtitles-de', kind: 'subtitles' } as const;
  const [placed] = placeTexts(ledger, runs, [{ info, segments }]);
  const [run] = runs;
  const map = run === undefined ? [] : reckonedMap(run);
  return {
    starts: (placed?.segments ?? []).flatMap(({ section, cues }) =>
      cues.map(({ startSeconds, text }) => {
        const at = outputTime(map, section, startSeconds);
        return [at === undefined ? undefined : Math.round(at * 1_000) / 1_000, text];
      }),
    ),
    unplaced: (placed?.segments ?? []).reduce((sum, { unplaced }) => sum + unplaced, 0),
  };
}

const MAIN = [100, 102, 104, 106].map((clock) => ({ clock, discontinuity: 0 }));

test('cues are moved by their timestamp map to the time line of the file', () => {
  const { starts } = setup(MAIN, [
    {
      text: `X-TIMESTAMP-MAP=MPEGTS:${100 * 90_000},LOCAL:00:00:00.000\n\n00:00.500 --> 00:01.000\na`,
    },
    {
      text: `X-TIMESTAMP-MAP=MPEGTS:${90 * 90_000},LOCAL:00:01:00.000\n\n01:13.000 --> 01:14.000\nb`,
    },
  ]);
  expect(starts).toEqual([
    [0.5, 'a'],
    [3, 'b'],
  ]);
});

test('a timestamp map that wrapped is the same time', () => {
  const clock = 2 ** 33 / 90_000 - 1;
  const { starts } = setup(
    [clock, clock + 2].map((each) => ({ clock: each, discontinuity: 0 })),
    [{ text: 'X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00.500 --> 00:01.000\na' }],
  );
  expect(starts).toEqual([[1.5, 'a']]);
});

test('each discontinuity has its own clock', () => {
  const main = [
    { clock: 100, discontinuity: 0 },
    { clock: 102, discontinuity: 0 },
    { clock: 10, discontinuity: 1 },
    { clock: 12, discontinuity: 1 },
  ];
  const map = (clock: number): string =>
    `X-TIMESTAMP-MAP=MPEGTS:${clock * 90_000},LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\n${clock}`;
  const { starts } = setup(main, [
    { text: map(100) },
    { text: '' },
    { text: map(10), discontinuity: 1 },
  ]);
  expect(starts).toEqual([
    [1, '100'],
    [5, '10'],
  ]);
});

test('without a map cue times are media times, or count from the segment', () => {
  const media = setup(MAIN, [{ text: '\n01:43.000 --> 01:44.000\na' }]);
  expect(media.starts).toEqual([[3, 'a']]);
  const relative = setup(MAIN, [{ text: '' }, { text: '\n00:00.500 --> 00:01.000\na' }]);
  expect(relative.starts).toEqual([[2.5, 'a']]);
});

test('cues whose times mean nothing are counted, not guessed', () => {
  const { starts, unplaced } = setup(MAIN, [{ text: '\n11:43:10.000 --> 11:43:12.000\na' }]);
  expect([starts, unplaced]).toEqual([[], 1]);
});

test('each track has a file of its own, whatever the tracks are called', async () => {
  await using place = await temporaryDirectory();
  const tracks = ['subtitles-de', 'subtitles-de.x', 'subtitles-de_x', 'subtitles-de/x', 'de é'];
  const written = await writeSubtitles({
    outputDirectory: place.path,
    file: 'run-1.mp4',
    map: [{ section: 0, fromSeconds: 0, toSeconds: 10, shiftSeconds: 0 }],
    texts: tracks.map((track) => ({
      text: { info: { track, kind: 'subtitles' }, segments: [] },
      run: 0,
      segments: [],
    })),
  });
  const files = written.map(({ file }) => file);
  expect(files[0]).toBe('run-1.de.vtt');
  expect((await readdir(place.path)).toSorted()).toEqual(files.toSorted());
  expect(new Set(files).size).toBe(tracks.length);
  // Each goes under a key of its own.
  for (const file of files) expect(keyFor('film', file)).toBe(file.replace('run-1', 'film'));
});
