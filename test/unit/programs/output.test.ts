import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  counterBreaks,
  elementaryStreams,
  mediaOf,
  OutputBench,
  put,
  runOf,
} from './outputSetup.ts';

it('stores all that a program puts out in pieces of about four seconds that begin with the tables and a key frame', async () => {
  await using bench = await OutputBench.open();
  const source = await mediaOf('ts', 20);
  const output = await bench.life();
  const run = await runOf(output, source);
  const { segments, gaps, bytes, pieces, records } = await bench.recorded();
  expect(segments.map(({ msn, epoch, discontinuity }) => [epoch, msn, discontinuity])).toEqual(
    [0, 1, 2, 3, 4].map((msn) => [0, msn, 0]),
  );
  expect(segments.map(({ durationMs }) => durationMs)).toEqual([4_000, 4_000, 4_000, 4_000, 4_000]);
  expect(gaps).toEqual([]);
  expect(elementaryStreams(bytes)).toEqual(elementaryStreams(source));
  expect(counterBreaks(bytes)).toBe(0);
  for (const piece of pieces) {
    expect(piece.readUInt16BE(1) & 0x1fff).toBe(0);
    expect(piece.readUInt16BE(189) & 0x1fff).toBe(0x1000);
  }
  expect(run.mediaMs).toBeCloseTo(20_000);
  expect(run.hadMedia).toBe(true);
  expect(output).toMatchObject({ advertised: 5, settled: 5, recordedMs: 20_000 });
  expect(bench.begun).toBe(1);
  expect(records.filter(({ t }) => t === 'epoch')).toMatchObject([
    { epoch: 0, why: 'first', first: 0, track: 'main' },
  ]);
  expect(segments[0]?.file).toBe('media/main/e0000/0000000000.ts');
});
