import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { beginsAtKey } from '../../../src/programs/output/keyFrames.ts';
import { fileEnds, mediaOf, OutputBench, put, runOf } from './outputSetup.ts';

/** The content of all mdat boxes: the plainest reader of fragmented MP4. */
function mediaData(bytes: Buffer): Buffer {
  const found: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'mdat')
      found.push(bytes.subarray(at + 8, at + bytes.readUInt32BE(at)));
  }
  return Buffer.concat(found);
}

it('stores fragmented MP4 in pieces of whole fragments, whatever pieces the bytes come in, and its section once', async () => {
  const source = await mediaOf('fmp4', 12);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 5 }),
      async (sizes) => {
        await using bench = await OutputBench.open();
        await runOf(await bench.life(), source, sizes);
        const { segments, gaps, bytes, records } = await bench.recorded();
        expect(
          segments.map(({ durationMs, container, init }) => [durationMs, container, init]),
        ).toEqual([1_000, 4_000, 4_000, 3_000].map((ms) => [ms, 'fmp4', 0]));
        expect(gaps).toEqual([]);
        expect(mediaData(bytes).equals(mediaData(source))).toBe(true);
        expect(records.filter(({ t }) => t === 'init')).toHaveLength(1);
      },
    ),
    { numRuns: 5 },
  );
});

it('goes on with fragmented MP4 exactly once, in the middle of a piece and from one host to the next', async () => {
  await using bench = await OutputBench.open();
  const init = (await mediaOf('fmp4', 0)).length;
  const ends: number[] = [init];
  for (let file = 0; file < 12; file++)
    ends.push((ends.at(-1) ?? 0) + (await mediaOf('fmp4', 1, file)).length - init);
  const source = await mediaOf('fmp4', 12);
  await runOf(await bench.life(), source.subarray(0, (ends[7] ?? 0) - 50));
  await runOf(
    await bench.life(),
    Buffer.concat([source.subarray(0, init), source.subarray(ends[3])]),
  );
  const { segments, gaps, bytes, records } = await bench.recorded();
  expect(gaps).toEqual([]);
  expect(segments.map(({ durationMs, discontinuity }) => [durationMs, discontinuity])).toEqual([
    [1_000, 0],
    [4_000, 0],
    [1_000, 0],
    [1_000, 0],
    [4_000, 0],
    [1_000, 0],
  ]);
  expect(mediaData(bytes).equals(mediaData(source))).toBe(true);
  expect(records.filter(({ t }) => t === 'init')).toHaveLength(1);
});

it('refuses an MP4 file that is not fragmented', async () => {
  await using bench = await OutputBench.open();
  const run = (await bench.life()).run();
  const box = (type: string, content: Buffer) => {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(8 + content.length);
    header.write(type, 4);
    return Buffer.concat([header, content]);
  };
  const file = Buffer.concat([box('ftyp', Buffer.from('isom0000')), box('mdat', Buffer.alloc(64))]);
  await expect(put(run, file)).rejects.toMatchObject({
    code: 'segment.invalid',
    details: { looksLike: 'mp4' },
  });
  await run.end();
});

it('names pieces that the disk did not take, tells why, and stores those after them', async () => {
  await using bench = await OutputBench.open();
  const source = await mediaOf('ts', 16);
  const ends = await fileEnds('ts', 16);
  // A file where the directory of the pieces is to be made.
  await writeFile(path.join(bench.directory, 'media'), '');
  const output = await bench.life();
  const run = output.run();
  const failures: unknown[] = [];
  const write = async (from: number, to: number) => {
    for (let at = from; at < to; at += 4_096) {
      await put(run, source.subarray(at, Math.min(to, at + 4_096))).catch((error: unknown) =>
        failures.push(error),
      );
    }
  };
  await write(0, (ends[5] ?? 0) + 12_000);
  await expect.poll(async () => output.settled).toBe(2);
  await rm(path.join(bench.directory, 'media'));
  await write((ends[5] ?? 0) + 12_000, source.length);
  await run.end().catch((error: unknown) => failures.push(error));
  const { segments, gaps } = await bench.recorded();
  // The third was begun while the directory could not be made: perhaps it was still tried then.
  expect(gaps.length).toBeGreaterThanOrEqual(2);
  expect(gaps.length).toBeLessThanOrEqual(3);
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.length).toBeLessThanOrEqual(gaps.length);
  for (const failure of failures) expect(failure).toMatchObject({ code: 'disk.failed' });
  const lengthsMs = [1_000, 4_000, 4_000, 4_000, 3_000];
  const lost = lengthsMs.slice(0, gaps.length);
  expect(gaps).toMatchObject(
    lost.map((durationMs, msn) => ({ msn, count: 1, cause: 'disk', durationMs })),
  );
  expect(segments.map(({ msn, durationMs }) => [msn, durationMs])).toEqual(
    [...lengthsMs.entries()].slice(gaps.length),
  );
  expect(output).toMatchObject({ advertised: 5, settled: 5 });
});

it('names a piece in the middle that the disk did not take, and stores those before and after it', async () => {
  await using bench = await OutputBench.open();
  // A directory where the file of the third piece is to be made.
  const third = path.join(bench.directory, 'media/main/e0000/0000000002.ts');
  await mkdir(third, { recursive: true });
  const output = await bench.life();
  const run = output.run();
  const failures: unknown[] = [];
  const source = await mediaOf('ts', 16);
  for (let at = 0; at < source.length; at += 4_096) {
    await put(run, source.subarray(at, at + 4_096)).catch((error: unknown) => failures.push(error));
  }
  await run.end().catch((error: unknown) => failures.push(error));
  const { segments, gaps } = await bench.recorded();
  expect(failures).toMatchObject([{ code: 'disk.failed' }]);
  expect(gaps).toMatchObject([{ msn: 2, count: 1, cause: 'disk', durationMs: 4_000 }]);
  expect(segments.map(({ msn, durationMs }) => [msn, durationMs])).toEqual([
    [0, 1_000],
    [1, 4_000],
    [3, 4_000],
    [4, 3_000],
  ]);
  expect(output).toMatchObject({ advertised: 5, settled: 5 });
});

it('lets go of whatever it waits for when it is told to', async () => {
  await using bench = await OutputBench.open();
  const abort = new AbortController();
  const output = await bench.life(abort.signal);
  const run = output.run();
  await put(run, await mediaOf('ts', 6));
  abort.abort(new Error('let go'));
  expect(() => run.write(Buffer.alloc(1))).toThrow('let go');
  await expect(run.end()).rejects.toThrow('let go');
});

it('names the time without a program at the end of the recording only when it is told that something was missed', async () => {
  for (const why of ['down', 'over'] as const) {
    await using bench = await OutputBench.open();
    const output = await bench.life();
    await runOf(output, await mediaOf('ts', 4));
    bench.clock.ms += 11_000;
    await output.finish(why);
    const { gaps } = await bench.recorded();
    expect(gaps).toMatchObject(
      why === 'over' ? [] : [{ msn: 2, count: 3, cause: 'recorder.down', durationMs: 11_000 }],
    );
  }
});

it('leaves nothing of a program that put out nothing', async () => {
  await using bench = await OutputBench.open();
  const output = await bench.life();
  await output.run().end();
  await runOf(output, (await mediaOf('ts', 1)).subarray(0, 500));
  await output.finish('down');
  expect((await bench.recorded()).records).toHaveLength(1);
});

it('finds where decoding can begin by the content of pictures', () => {
  const unit = (...codes: number[]) =>
    Buffer.from(codes.flatMap((code) => [0, 0, 0, 1, code, 0x88, 0x84]));
  expect(beginsAtKey(0x1b, unit(9, 6, 0x65))).toBe(true);
  expect(beginsAtKey(0x1b, unit(9, 0x67, 0x68, 0x65))).toBe(true);
  expect(beginsAtKey(0x1b, unit(9, 6, 0x41))).toBe(false);
  expect(beginsAtKey(0x24, unit(35 << 1, 19 << 1))).toBe(true);
  expect(beginsAtKey(0x24, unit(35 << 1, 1 << 1))).toBe(false);
  expect(beginsAtKey(0x02, unit(0xb3))).toBe(true);
  expect(beginsAtKey(0x02, unit(0x00))).toBe(false);
});
