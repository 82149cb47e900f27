import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  counterBreaks,
  elementaryStreams,
  fileEnds,
  mediaOf,
  OutputBench,
  put,
  runOf,
  shifted,
} from './outputSetup.ts';

it('stores all that a program puts out in pieces of about four seconds, after a first one of one, that begin with the tables and a key frame', async () => {
  await using bench = await OutputBench.open();
  const source = await mediaOf('ts', 20);
  const output = await bench.life();
  const run = await runOf(output, source);
  const { segments, gaps, bytes, pieces, records } = await bench.recorded();
  expect(segments.map(({ msn, epoch, discontinuity }) => [epoch, msn, discontinuity])).toEqual(
    [0, 1, 2, 3, 4, 5].map((msn) => [0, msn, 0]),
  );
  expect(segments.map(({ durationMs }) => durationMs)).toEqual([
    1_000, 4_000, 4_000, 4_000, 4_000, 3_000,
  ]);
  expect(gaps).toEqual([]);
  expect(elementaryStreams(bytes)).toEqual(elementaryStreams(source));
  expect(counterBreaks(bytes)).toBe(0);
  for (const piece of pieces) {
    expect(piece.readUInt16BE(1) & 0x1fff).toBe(0);
    expect(piece.readUInt16BE(189) & 0x1fff).toBe(0x1000);
  }
  expect(run.mediaMs).toBeCloseTo(20_000);
  expect(run.hadMedia).toBe(true);
  expect(output).toMatchObject({ advertised: 6, settled: 6, recordedMs: 20_000 });
  expect(bench.begun).toBe(1);
  expect(records.filter(({ t }) => t === 'epoch')).toMatchObject([
    { epoch: 0, why: 'first', first: 0, track: 'main' },
  ]);
  expect(segments[0]?.file).toBe('media/main/e0000/0000000000.ts');
});

it('ends the first piece of each run early, and no other one, not even after a hole or a break', async () => {
  const source = await mediaOf('ts', 24);
  const ends = await fileEnds('ts', 24);
  const part = (from: number, to: number) => source.subarray(ends[from], ends[to]);
  const runs = [
    // The second begins within what is stored, the third goes on later, the fourth repeats the end of it and is on another clock.
    { isNewHost: true, media: part(0, 6), pieces: [1_000, 4_000, 1_000] },
    { isNewHost: false, media: part(4, 12), pieces: [1_000, 4_000, 1_000] },
    { isNewHost: false, media: Buffer.alloc(0), pieces: [] },
    { isNewHost: true, media: part(13, 16), pieces: [1_000, 2_000] },
    {
      isNewHost: false,
      media: shifted(Buffer.concat([part(14, 18), part(20, 22), part(18, 19)]), 7 * 90_000),
      pieces: [1_000, 1_000, 2_000, 1_000],
    },
  ];
  await using bench = await OutputBench.open();
  let output = await bench.life();
  let known = 0;
  for (const { isNewHost, media, pieces } of runs) {
    if (isNewHost) output = await bench.life();
    await runOf(output, media);
    bench.clock.ms += 1_000;
    const { segments } = await bench.recorded();
    expect(segments.slice(known).map(({ durationMs }) => durationMs)).toEqual(pieces);
    known = segments.length;
  }
  expect((await bench.recorded()).gaps).toMatchObject([
    { cause: 'recorder.down', durationMs: 1_000 },
    { cause: 'skipped', durationMs: 2_000 },
  ]);
});

it('ends the first piece with pictures of a run early, also when sound alone came before them', async () => {
  await using bench = await OutputBench.open();
  const source = await mediaOf('ts', 17);
  const ends = await fileEnds('ts', 17);
  await runOf(await bench.life(), source.subarray(0, ends[6]));
  bench.clock.ms += 4_000;
  const begin = source.subarray(ends[9], ends[10]);
  const sound: Buffer[] = [];
  for (let at = 0; at + 188 <= begin.length; at += 188) {
    const isPicture = (begin.readUInt16BE(at + 1) & 0x1fff) === 0x100;
    if (!isPicture) sound.push(begin.subarray(at, at + 188));
  }
  await runOf(await bench.life(), Buffer.concat([...sound, source.subarray(ends[10])]));
  const { segments, pieces } = await bench.recorded();
  expect(segments.map(({ durationMs }) => Math.round(durationMs / 1_000))).toEqual([
    1, 4, 1, 0, 1, 4, 2,
  ]);
  expect([...elementaryStreams(pieces[3] ?? Buffer.alloc(0)).keys()]).toEqual([0x101]);
});

it('stores the same whatever pieces the bytes come in', async () => {
  const source = await mediaOf('ts', 9);
  await using whole = await OutputBench.open();
  await runOf(await whole.life(), source);
  const expected = await whole.recorded();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 65_536 })), {
        minLength: 1,
        maxLength: 8,
      }),
      async (sizes) => {
        await using bench = await OutputBench.open();
        await runOf(await bench.life(), source, sizes);
        const { pieces, segments } = await bench.recorded();
        expect(pieces.map((piece) => piece.length)).toEqual(
          expected.pieces.map((piece) => piece.length),
        );
        expect(Buffer.concat(pieces).equals(Buffer.concat(expected.pieces))).toBe(true);
        expect(segments.map(({ durationMs }) => durationMs)).toEqual(
          expected.segments.map(({ durationMs }) => durationMs),
        );
      },
    ),
    { numRuns: 8 },
  );
});

it('goes on exactly once where a program was cut off at any byte and the next one begins earlier', async () => {
  const source = await mediaOf('ts', 12);
  const packet = 188;
  const expected = elementaryStreams(source);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 3 * packet, max: source.length }),
      fc.integer({ min: 0, max: 4 }),
      fc.boolean(),
      async (cut, secondsBack, isNewHost) => {
        await using bench = await OutputBench.open();
        let output = await bench.life();
        await runOf(output, source.subarray(0, cut));
        bench.clock.ms += 1_500;
        if (isNewHost) output = await bench.life();
        // A live source whose window begins some seconds before the place at which the program was killed.
        const files = await fileEnds('ts', 12);
        const at = files.findLastIndex((end) => end <= cut);
        const from = files[Math.max(0, at - secondsBack)] ?? 0;
        await runOf(output, source.subarray(Math.min(from, cut)));
        const { bytes, gaps, segments } = await bench.recorded();
        expect(gaps).toEqual([]);
        expect(new Set(segments.map(({ discontinuity }) => discontinuity)).size).toBe(1);
        const found = elementaryStreams(bytes);
        for (const [pid, stream] of expected) expect(found.get(pid)?.equals(stream)).toBe(true);
        expect(counterBreaks(bytes)).toBe(0);
      },
    ),
    { numRuns: 14 },
  );
});

it('leaves out exactly what is stored where the clock of the next program is another one', async () => {
  await using bench = await OutputBench.open();
  const source = await mediaOf('ts', 14);
  const [, , , , , sixth = 0] = await fileEnds('ts', 14);
  const output = await bench.life();
  await runOf(output, source.subarray(0, (await fileEnds('ts', 8))[8]));
  bench.clock.ms += 1_000;
  await runOf(output, shifted(source.subarray(sixth), -3 * 90_000));
  const { segments, gaps, bytes } = await bench.recorded();
  expect(gaps).toEqual([]);
  expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([0, 0, 0, 1, 1, 1]);
  expect(elementaryStreams(bytes)).toEqual(elementaryStreams(source));
});

it('names exactly the time between two programs that are on the same clock', async () => {
  await using bench = await OutputBench.open();
  const [, , , , , fifth = 0, , , eighth = 0] = await fileEnds('ts', 12);
  const source = await mediaOf('ts', 12);
  await runOf(await bench.life(), source.subarray(0, fifth));
  bench.clock.ms += 4_000;
  await runOf(await bench.life(), source.subarray(eighth));
  const { segments, gaps, records } = await bench.recorded();
  expect(gaps).toMatchObject([
    { epoch: 0, msn: 2, count: 1, cause: 'recorder.down', durationMs: 3_000 },
  ]);
  expect(gaps[0]).not.toHaveProperty('estimated');
  expect(
    segments.map(({ msn, durationMs, discontinuity }) => [msn, durationMs, discontinuity]),
  ).toEqual([
    [0, 1_000, 0],
    [1, 4_000, 0],
    [3, 1_000, 0],
    [4, 3_000, 0],
  ]);
  expect(segments[2]?.file).toBe('media/main/e0000/0000000003-2.ts');
  expect(records.filter(({ t }) => t === 'epoch')).toHaveLength(1);
});

it('opens an epoch for a program whose output has nothing in common with what is stored, and names the time between by the clock', async () => {
  await using bench = await OutputBench.open();
  await runOf(await bench.life(), await mediaOf('ts', 5, 20));
  bench.clock.ms += 9_000;
  const run = (await bench.life()).run();
  for (let file = 0; file < 6; file++) {
    await put(run, await mediaOf('hi', 1, file));
    bench.clock.ms += 1_000;
  }
  await run.end();
  const { segments, gaps, records } = await bench.recorded();
  expect(gaps).toMatchObject([
    // The first second of it had been there before; its last picture shows where it ends with the next one.
    {
      ...{ epoch: 0, msn: 2, count: 2, cause: 'recorder.down' },
      ...{ durationMs: 8_040, estimated: true },
    },
  ]);
  expect(segments.map(({ epoch, msn, discontinuity }) => [epoch, msn, discontinuity])).toEqual([
    [0, 0, 0],
    [0, 1, 0],
    [1, 0, 1],
    [1, 1, 1],
    [1, 2, 1],
  ]);
  expect(records.filter(({ t }) => t === 'epoch')).toMatchObject([
    { why: 'first' },
    { epoch: 1, why: 'program', first: 0 },
  ]);
});

it('names a hole in the timestamps of one program, and only breaks the timeline where they jump back', async () => {
  await using bench = await OutputBench.open();
  const parts = [await mediaOf('ts', 4), await mediaOf('ts', 4, 7), await mediaOf('ts', 3, 2)];
  await runOf(await bench.life(), Buffer.concat(parts));
  const { segments, gaps } = await bench.recorded();
  expect(gaps).toMatchObject([{ epoch: 0, msn: 2, count: 1, cause: 'skipped', durationMs: 3_000 }]);
  expect(
    segments.map(({ msn, durationMs, discontinuity }) => [msn, durationMs, discontinuity]),
  ).toEqual([
    [0, 1_000, 0],
    [1, 3_000, 0],
    [3, 4_000, 0],
    [4, 3_000, 1],
  ]);
});

it('reads on across the wrap of the timestamps, within a run and from one host to the next', async () => {
  await using bench = await OutputBench.open();
  const source = shifted(await mediaOf('ts', 12), 2 ** 33 - 6 * 90_000);
  const ends = await fileEnds('ts', 12);
  await runOf(await bench.life(), source.subarray(0, ends[7]));
  await runOf(await bench.life(), source.subarray(ends[4]));
  const { segments, gaps, bytes } = await bench.recorded();
  expect(gaps).toEqual([]);
  expect(segments.every(({ discontinuity, epoch }) => discontinuity === 0 && epoch === 0)).toBe(
    true,
  );
  expect(segments.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(12_000);
  expect(elementaryStreams(bytes)).toEqual(elementaryStreams(source));
});

it('finds the packets again where bytes were lost, and names the time of the pictures that were torn', async () => {
  await using bench = await OutputBench.open();
  const source = await mediaOf('ts', 8);
  const ends = await fileEnds('ts', 8);
  const at = (ends[3] ?? 0) + 2_000;
  await runOf(
    await bench.life(),
    Buffer.concat([source.subarray(0, at), Buffer.alloc(1_000, 0x47), source.subarray(at + 777)]),
    [4_096, 31],
  );
  const { segments, gaps } = await bench.recorded();
  expect(gaps).toMatchObject([
    { cause: 'skipped', detail: 'bytes that are no packets are left out' },
  ]);
  const storedMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  expect(storedMs + (gaps[0]?.durationMs ?? 0)).toBe(8_000);
  expect(gaps[0]?.durationMs).toBeLessThanOrEqual(400);
  // The piece after the damage is not the first one of a run, and as long as any other.
  expect(segments.map(({ durationMs }) => Math.round(durationMs / 100))).toEqual([10, 20, 40, 10]);
});

it.each([
  ['html', '<!DOCTYPE html><html><body>Not found</body></html>'],
  ['text', 'ERROR: no such stream, nothing to record'],
  ['packed', 'ID3\u0004 and so on and so on'],
  ['unknown', `G${'x'.repeat(400)}`],
])('refuses an output that looks like %s', async (looksLike, text) => {
  await using bench = await OutputBench.open();
  const output = await bench.life();
  const run = output.run();
  await expect(put(run, Buffer.from(text), [7])).rejects.toMatchObject({
    code: 'segment.invalid',
    details: { looksLike },
  });
  await run.end();
  expect((await bench.recorded()).records).toHaveLength(1);
  expect(run.hadMedia).toBe(false);
  expect(bench.begun).toBe(0);
});
