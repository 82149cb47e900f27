import { expect, it } from 'vitest';
import { mediaOf, OutputBench, put, runOf } from './outputSetup.ts';

const PICTURE = 0x100;
const SOUND = 0x101;

/** Leaves out the pictures (or the frames of another stream) of these numbers, from one up to another. */
function without(bytes: Buffer, pid: number, [from, to]: readonly [number, number]): Buffer {
  const parts: Buffer[] = [];
  let frame = -1;
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const second = bytes[at + 1] ?? 0;
    const isOwn = (bytes.readUInt16BE(at + 1) & 0x1fff) === pid;
    if (isOwn && (second & 0x40) !== 0) frame++;
    if (!isOwn || frame < from || frame >= to) parts.push(bytes.subarray(at, at + 188));
  }
  return Buffer.concat(parts);
}

/** The same where each of its packets follows the one before: nobody lost any. */
function renumbered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const counters = new Map<number, number>();
  for (let at = 0; at + 188 <= copy.length; at += 188) {
    const pid = copy.readUInt16BE(at + 1) & 0x1fff;
    const control = copy[at + 3] ?? 0;
    if ((control & 0x10) === 0) continue;
    const counter = ((counters.get(pid) ?? -1) + 1) & 15;
    counters.set(pid, counter);
    copy[at + 3] = (control & 0xf0) | counter;
  }
  return copy;
}

async function recordedOf(bytes: Buffer) {
  await using bench = await OutputBench.open();
  const run = await runOf(await bench.life(), renumbered(bytes));
  const { segments, gaps } = await bench.recorded();
  const storedMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return { gaps, storedMs, mediaMs: run.mediaMs };
}

it('misses nothing where the picture stands still while the sound goes on', async () => {
  // Its key frames come every second: the next picture is none, or one that nobody was waiting for.
  const { gaps, storedMs, mediaMs } = await recordedOf(
    without(await mediaOf('ts', 12), PICTURE, [85, 160]),
  );
  expect(gaps).toEqual([]);
  expect(storedMs).toBeCloseTo(12_000);
  expect(mediaMs).toBeCloseTo(12_000);
});

it('names the picture that is missing although the sound goes on, by the key frame that follows when one was due', async () => {
  const { gaps, storedMs } = await recordedOf(without(await mediaOf('ts', 12), PICTURE, [75, 175]));
  expect(gaps).toMatchObject([{ cause: 'skipped', durationMs: 4_000 }]);
  expect(storedMs).toBeCloseTo(8_000);
});

it('names the time in which picture and sound are missing, whichever comes first afterwards', async () => {
  const source = await mediaOf('ts', 12);
  const { gaps } = await recordedOf(
    without(without(source, PICTURE, [85, 160]), SOUND, [0, Number.POSITIVE_INFINITY]),
  );
  // Without sound, pictures that had come steadily are missing.
  expect(gaps).toMatchObject([{ cause: 'skipped', durationMs: 3_000 }]);
  const hole = Buffer.concat([await mediaOf('ts', 4), await mediaOf('ts', 4, 8)]);
  expect((await recordedOf(hole)).gaps).toMatchObject([{ cause: 'skipped', durationMs: 4_000 }]);
});

it('misses nothing where the sound is missing and the picture goes on', async () => {
  const { gaps, storedMs } = await recordedOf(without(await mediaOf('ts', 12), SOUND, [100, 250]));
  expect(gaps).toEqual([]);
  expect(storedMs).toBeCloseTo(12_000);
});

it('misses nothing between pictures that never came steadily', async () => {
  let source = without(await mediaOf('ts', 12), SOUND, [0, Number.POSITIVE_INFINITY]);
  for (const [from, to] of [
    [3, 40],
    [5, 9],
    [8, 30],
    [9, 12],
    [11, 90],
    [13, 20],
    [16, 40],
  ] as const) {
    source = without(source, PICTURE, [from, to]);
  }
  expect((await recordedOf(source)).gaps).toEqual([]);
});

it('refuses timestamps that a program has squashed, and stores what came before', async () => {
  const source = await mediaOf('ts', 8);
  let frame = -1;
  for (let at = 0; at + 188 <= source.length; at += 188) {
    const isOwn = (source.readUInt16BE(at + 1) & 0x1fff) === PICTURE;
    if (!isOwn || ((source[at + 1] ?? 0) & 0x40) === 0 || ++frame < 125) continue;
    // From the sixth second on each picture comes a tick after the one before.
    const field =
      at + 4 + (((source[at + 3] ?? 0) & 0x20) === 0 ? 0 : 1 + (source[at + 4] ?? 0)) + 9;
    const dated = (source[field - 2] ?? 0) >> 6;
    const ticks = 126_000 + 124 * 3_600 + (frame - 124);
    for (let index = 0; index < (dated === 3 ? 2 : 1); index++) {
      source.writeUInt16BE((Math.floor(ticks / 2 ** 15) << 1) | 1, field + 5 * index + 1);
      source.writeUInt16BE(((ticks & 0x7fff) << 1) | 1, field + 5 * index + 3);
    }
  }
  await using bench = await OutputBench.open();
  const run = (await bench.life()).run();
  await expect(put(run, renumbered(source), [2_048])).rejects.toMatchObject({
    code: 'segment.invalid',
  });
  await run.end();
  const { segments, gaps } = await bench.recorded();
  expect(gaps).toEqual([]);
  // The last one has the pictures without time by which they were known.
  expect(segments.map(({ durationMs }) => Math.round(durationMs / 100))).toEqual([10, 40, 0]);
});
