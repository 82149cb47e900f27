import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import type { ProgramOutput } from '../../../src/programs/output/programOutput.ts';
import { elementaryStreams, fileEnds, mediaOf, OutputBench, put, shifted } from './outputSetup.ts';

/** One thing that happens to a recording. */
type Deed =
  /** A program that begins so many files before the place that was reached, or after it, within what is stored or in a gap, and is killed at any byte. */
  | { readonly do: 'run'; readonly back: number; readonly files: number; readonly torn: number }
  /** The source's encoder begins anew, on a clock of its own. */
  | { readonly do: 'reset'; readonly aheadS: number }
  | { readonly do: 'empty' }
  | { readonly do: 'garbage'; readonly bytes: Uint8Array }
  /** The host dies: what is recorded is known by its journal only, whose last line may be torn. */
  | { readonly do: 'host'; readonly tornLine: boolean };

const FILES = 24;
const FRAMES = 25;
const FIRST = 6;

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      back: fc.integer({ min: -3, max: 6 }),
      files: fc.integer({ min: 1, max: 7 }),
      torn: fc.integer({ min: 0, max: 30_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reset' as const),
      aheadS: fc.integer({ min: 700, max: 9_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('empty' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('garbage' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('host' as const), tornLine: fc.boolean() }),
  },
);

/** The show: a second for each file, of which those from a reset on lie on another clock. */
class Show {
  readonly #files: readonly Buffer[];
  readonly #clocks: number[];

  constructor(files: readonly Buffer[]) {
    this.#files = files;
    this.#clocks = files.map(() => 0);
  }

  reset(from: number, aheadS: number): void {
    for (let file = from; file < this.#clocks.length; file++) this.#clocks[file] = aheadS;
  }

  media(from: number, to: number): Buffer {
    const parts = this.#files.slice(from, to);
    return Buffer.concat(
      parts.map((one, index) => shifted(one, (this.#clocks[from + index] ?? 0) * 90_000)),
    );
  }
}

/** Which pictures of the show these pieces hold, in their order: they are known by their content. */
function picturesIn(bytes: Buffer, known: ReadonlyMap<string, number>): number[] {
  return picturesOf(bytes).map((picture) => known.get(picture) ?? -1);
}

function picturesOf(bytes: Buffer): string[] {
  const parts: Buffer[][] = [];
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const packet = bytes.subarray(at, at + 188);
    if ((packet.readUInt16BE(1) & 0x1fff) !== 0x100) continue;
    if (((packet[1] ?? 0) & 0x40) !== 0) parts.push([]);
    parts.at(-1)?.push(packet);
  }
  return parts.map(
    (packets) => elementaryStreams(Buffer.concat(packets)).get(0x100)?.toString('latin1') ?? '',
  );
}

interface Model {
  /** Where the show stands, files; what a program puts out lies about there. */
  place: number;
  /** Pictures that were put out whole by a program that ran. */
  readonly out: Set<number>;
  /** The latest place that a program began at. */
  begun: number;
}

async function play(deeds: readonly Deed[], files: readonly Buffer[]): Promise<void> {
  const known = new Map(
    files.flatMap((file, second) =>
      picturesOf(file).map((picture, index) => [picture, second * FRAMES + index] as const),
    ),
  );
  const show = new Show(files);
  const model: Model = { place: FIRST, begun: FIRST, out: new Set() };
  await using bench = await OutputBench.open();
  let output = await bench.life();
  for (const one of deeds) {
    bench.clock.ms += 1_000;
    if (one.do === 'reset') show.reset(model.place + 1, one.aheadS);
    else if (one.do === 'host') {
      if (one.tornLine) await tearJournal(bench);
      output = await bench.life();
    } else await runOne(output, { deed: one, show, model });
    await judge(bench, { known, model });
  }
}

async function runOne(
  output: ProgramOutput,
  { deed: one, show, model }: { deed: Deed; show: Show; model: Model },
): Promise<void> {
  const run = output.run();
  if (one.do === 'garbage') {
    await put(run, one.bytes, [100]).catch((error: unknown) => {
      if (!isKennelError(error) || error.code !== 'segment.invalid') throw error;
    });
  } else if (one.do === 'run') {
    // One that is cut off before it reaches what is stored cannot be known to lie before that.
    const isLong = one.files >= 3;
    const from = Math.max(isLong ? 0 : model.begun, model.place - one.back);
    model.begun = Math.max(model.begun, from);
    const to = Math.min(FILES, Math.max(from, model.place) + one.files);
    const media = show.media(from, to);
    const cut = Math.max(0, media.length - one.torn);
    await put(run, media.subarray(0, cut), [7_001, 64, 30_000]);
    // The last picture that is followed by another one is whole; of the last one nobody can say.
    const whole = picturesOf(media.subarray(0, cut)).length - 1;
    if (whole > 0) {
      for (let index = 0; index < whole; index++) model.out.add(from * FRAMES + index);
      model.place = Math.max(model.place, from + Math.floor(whole / FRAMES));
    }
  }
  await run.end();
}

/** What a host leaves that died while it wrote a line. */
async function tearJournal(bench: OutputBench): Promise<void> {
  const [journal] = (await readdir(bench.directory)).filter((name) => name.startsWith('journal'));
  if (journal === undefined) throw new Error('there is no journal');
  await writeFile(path.join(bench.directory, journal), '{"t":"segment","tra', { flag: 'a' });
}

/** What holds whatever has happened. The ledger's own laws are those of `recorded`. */
async function judge(
  bench: OutputBench,
  { known, model }: { known: ReadonlyMap<string, number>; model: Model },
): Promise<void> {
  const { pieces, gaps, segments } = await bench.recorded();
  const stored = picturesIn(Buffer.concat(pieces), known);
  expect(stored).not.toContain(-1);
  const counts = new Map<number, number>();
  for (const picture of stored) counts.set(picture, (counts.get(picture) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 1)).toEqual([]);
  // A window that reaches back to before the recording began does not make it begin earlier.
  const first = Math.min(...stored);
  const missing = [...model.out].filter((picture) => picture > first && !counts.has(picture));
  // What was put out too late, before a place that was stored already, lies in a gap that is named.
  const gapped =
    gaps.length > 0 ? missing.filter((picture) => picture > Math.max(...stored)) : missing;
  expect(gapped).toEqual([]);
  expect(stored).toEqual(stored.toSorted((one, other) => one - other));
  // Every second between the first and the last picture is stored or named.
  let holes = 0;
  for (const [index, picture] of stored.entries()) {
    if (index > 0 && picture !== (stored[index - 1] ?? 0) + 1) holes++;
  }
  expect(gaps.length).toBeGreaterThanOrEqual(holes);
  const files = segments.map(({ file }) => file);
  expect(new Set(files).size).toBe(files.length);
}

it('stores every picture that was put out exactly once or names the gap it lies in, whatever happens', async () => {
  const ends = await fileEnds('ts', FILES);
  const all = await mediaOf('ts', FILES);
  const files = ends.slice(1).map((end, index) => all.subarray(ends[index], end));
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 3, maxLength: 9 }), async (deeds) => {
      await play(deeds, files);
    }),
    {
      numRuns: Number(process.env['OUTPUT_RUNS'] ?? 12),
      ...(process.env['OUTPUT_SEED'] && { seed: Number(process.env['OUTPUT_SEED']) }),
    },
  );
});
