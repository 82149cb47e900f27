import { expect, it } from 'vitest';
import { elementaryStreams, mediaOf, OutputBench, runOf, shifted } from './outputSetup.ts';

/** A timeline, another one that begins at zero, and the first one again. */
async function withBreaks(): Promise<{
  readonly source: Buffer;
  readonly starts: readonly number[];
}> {
  const parts: Buffer[] = [];
  for (let file = 0; file < 16; file++) {
    const one = await mediaOf('ts', 1, file);
    parts.push(file < 6 || file >= 11 ? shifted(one, 900 * 90_000) : one);
  }
  const starts = parts.map((_, index) => Buffer.concat(parts.slice(0, index)).length);
  return { source: Buffer.concat(parts), starts };
}

it.each([false, true])(
  'goes on exactly once where a program begins anew before a break of the timeline (in a new host: %s)',
  async (isNewHost) => {
    const { source, starts } = await withBreaks();
    const expected = elementaryStreams(source);
    for (const [cut, from] of [
      [7, 3],
      [9, 5],
      [13, 4],
      [13, 8],
    ] as const) {
      for (const clock of [0, -77 * 90_000]) {
        await using bench = await OutputBench.open();
        let output = await bench.life();
        await runOf(output, source.subarray(0, (starts[cut] ?? 0) + 9_000));
        bench.clock.ms += 1_500;
        if (isNewHost) output = await bench.life();
        await runOf(output, shifted(source.subarray(starts[from]), clock));
        const { bytes, gaps, segments } = await bench.recorded();
        expect(gaps).toEqual([]);
        expect(new Set(segments.map(({ epoch }) => epoch)).size).toBe(1);
        const found = elementaryStreams(bytes);
        for (const [pid, stream] of expected) expect(found.get(pid)?.equals(stream)).toBe(true);
      }
    }
  },
);
