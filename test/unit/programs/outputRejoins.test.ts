import { expect, it } from 'vitest';
import {
  elementaryStreams,
  fileEnds,
  mediaOf,
  OutputBench,
  put,
  runOf,
  shifted,
} from './outputSetup.ts';

const FILES = 14;

/** Seconds of the show, from one up to another. */
async function seconds(from: number, to: number): Promise<Buffer> {
  return await mediaOf('ts', to - from, from);
}

it.each([
  { what: 'on the same clock', ahead: 0, isNewHost: false },
  { what: 'on another clock', ahead: -77 * 90_000, isNewHost: false },
  { what: 'on the same clock, in a new host', ahead: 0, isNewHost: true },
])(
  'stores nothing twice where a program begins within a gap and comes to what is stored, $what',
  async ({ ahead, isNewHost }) => {
    await using bench = await OutputBench.open();
    let output = await bench.life();
    await runOf(output, await seconds(0, 4));
    bench.clock.ms += 5_000;
    await runOf(output, await seconds(8, 12));
    bench.clock.ms += 1_000;
    if (isNewHost) output = await bench.life();
    await runOf(output, shifted(await seconds(6, FILES), ahead));
    const { bytes, gaps, segments } = await bench.recorded();
    expect(gaps).toMatchObject([{ cause: 'recorder.down', durationMs: 4_000 }]);
    expect(new Set(segments.map(({ epoch }) => epoch)).size).toBe(1);
    const wanted = Buffer.concat([await seconds(0, 4), await seconds(8, FILES)]);
    expect(elementaryStreams(bytes)).toEqual(elementaryStreams(wanted));
  },
);

it('stores nothing twice where a program begins before all that is stored', async () => {
  await using bench = await OutputBench.open();
  const output = await bench.life();
  await runOf(output, await seconds(7, 10));
  bench.clock.ms += 1_000;
  await runOf(output, await seconds(2, FILES));
  const { bytes, gaps } = await bench.recorded();
  expect(gaps).toEqual([]);
  expect(elementaryStreams(bytes)).toEqual(elementaryStreams(await seconds(7, FILES)));
});

it('stores nothing twice behind a hole of one program that the next one does not have', async () => {
  await using bench = await OutputBench.open();
  const output = await bench.life();
  const source = await mediaOf('ts', FILES);
  const ends = await fileEnds('ts', FILES);
  const holed = Buffer.concat([await seconds(0, 3), await seconds(6, 10)]);
  await runOf(output, holed);
  bench.clock.ms += 1_000;
  await runOf(output, source.subarray(ends[4]));
  const { bytes, gaps } = await bench.recorded();
  expect(gaps).toMatchObject([{ cause: 'skipped' }]);
  expect(gaps[0]?.durationMs).toBeCloseTo(3_000);
  const wanted = Buffer.concat([await seconds(0, 3), await seconds(6, FILES)]);
  expect(elementaryStreams(bytes).get(0x100)).toEqual(elementaryStreams(wanted).get(0x100));
});

it('does not take what had been waiting for a program on another timeline for time that is missing', async () => {
  for (const isAtOnce of [true, false]) {
    await using bench = await OutputBench.open();
    await runOf(await bench.life(), await mediaOf('ts', 5, 20));
    bench.clock.ms += 7_000;
    // Five seconds of a live window come at once, or as fast as a slow network brings them; then it goes on in its own time.
    const run = (await bench.life()).run();
    for (let file = 0; file < 12; file++) {
      await put(run, await mediaOf('hi', 1, file));
      if (file >= 5) bench.clock.ms += 1_000;
      else if (!isAtOnce) bench.clock.ms += 400;
    }
    await run.end();
    const { gaps } = await bench.recorded();
    expect(gaps).toMatchObject([{ cause: 'recorder.down', estimated: true }]);
    expect(gaps[0]?.durationMs).toBeGreaterThan(7_000 - 6_001 + (isAtOnce ? 0 : 2_000) - 1);
    expect(gaps[0]?.durationMs).toBeLessThan(7_000 - 5_000 + (isAtOnce ? 0 : 2_000));
  }
});
