import { expect, test } from 'vitest';
import { countFrames } from '../../../src/media/mux/countFrames.ts';
import { runsOf } from '../../../src/media/runsOf.ts';
import { expectedDuration, judged } from '../../../src/media/verify.ts';
import { ledgerOf, recordsOf, type Stretch } from './recording.ts';

const expected = (stretches: readonly Stretch[], durationMs: number, measuredMs = durationMs) => {
  const records = recordsOf(stretches).map((record) =>
    record.t === 'segment' ? { ...record, durationMs } : record,
  );
  const run = runsOf(ledgerOf(records))[0]?.run;
  const first = { format: 'MPEG Transport Stream', tracks: [], durationMs: measuredMs };
  return run && expectedDuration(run, [first]);
};

test('half a second is tolerated, and a thousandth of a long recording', () => {
  const short = expected([{ set: 'ts', from: 0, to: 9 }], 1_001);
  expect(short).toEqual({ expectedMs: 10_010, toleranceMs: 500, joints: 0 });
  const long = expected([{ set: 'ts', from: 0, to: 9 }], 100_100);
  expect(long?.toleranceMs).toBeCloseTo(1_001);
});

test('whole seconds that are rounded may each be wrong by half of one', () => {
  expect(expected([{ set: 'ts', from: 0, to: 9 }], 2_000, 2_336)?.toleranceMs).toBe(5_000);
});

test('whole seconds that are true give no allowance', () => {
  expect(expected([{ set: 'ts', from: 0, to: 9 }], 2_000, 2_060)?.toleranceMs).toBe(500);
});

test('each joint may cost a frame of sound', () => {
  const stretches: Stretch[] = [
    { set: 'ts', from: 0, to: 4, lost: [2] },
    { set: 'ts', from: 0, to: 4, discontinuity: 1 },
  ];
  expect(expected(stretches, 1_001)?.toleranceMs).toBe(740);
});

test('packets are counted stream by stream, however the text is cut', () => {
  const frames = countFrames();
  const text =
    '#software: x\n#tb 0: 1/90000\n#media_type 0: video\n#media_type 1: audio\n' +
    '0,          0,          0,     3600,     1000, 0x1\n1, 0, 0, 1920, 10, 0x2\n0, 3600, 3600, 3600, 9, 0x3\n';
  for (const character of text) frames.read(character);
  expect(frames.counts()).toEqual([
    { kind: 'video', packets: 2 },
    { kind: 'audio', packets: 1 },
  ]);
});

const DAY_MS = 86_400_000;
const span = (track: string, changes: { startMs?: number; endMs?: number } = {}) => ({
  ...({ track, kind: 'audio', startMs: 0, endMs: DAY_MS } as const),
  ...{ expectedStartMs: 0, expectedEndMs: DAY_MS },
  ...changes,
});
const fits = (...spans: ReturnType<typeof span>[]): boolean[] =>
  judged(spans, { toleranceMs: DAY_MS / 1_000, skewMs: 1_000 }).map((each) => each.fits);

test('a day long, tracks may be beside their places only together', () => {
  const off = { endMs: DAY_MS - 40_000 };
  expect(fits(span('main', off), span('audio-en', off))).toEqual([true, true]);
  expect(fits(span('main'), span('audio-en', off))).toEqual([true, false]);
  expect(fits(span('main'), span('audio-en', { startMs: 1_500 }))).toEqual([true, false]);
  expect(fits(span('main'), span('audio-en', { endMs: DAY_MS - 400 }))).toEqual([true, true]);
});
