import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFrameHashes } from '../support/oracle/packets.ts';
import { expectedPositions, type Reference, tally } from '../support/oracle/tally.ts';

/** Five segments of three pictures and two sounds each. */
const reference: readonly Reference[] = Array.from({ length: 5 }, (_, n) => ({
  video: [0, 1, 2].map((k) => `v${n}.${k}`),
  audio: [0, 1].map((k) => `a${n}.${k}`),
}));

const fileOf = (...positions: number[]): Reference => ({
  video: positions.flatMap((n) => reference[n]?.video ?? []),
  audio: positions.flatMap((n) => reference[n]?.audio ?? []),
});

const clean = {
  partial: [],
  missing: [],
  duplicated: [],
  unexpected: [],
  unknownPackets: 0,
  outOfOrder: 0,
};

describe('counting packets', () => {
  test('a whole recording has every segment and nothing else', () => {
    const judged = tally(reference, fileOf(1, 2, 3), [1, 2, 3]);
    expect(judged).toEqual({ ...clean, segments: [1, 2, 3] });
  });

  test('a segment that was expected and is not there is missing', () => {
    expect(tally(reference, fileOf(0, 2), [0, 1, 2, 3])).toEqual({
      ...clean,
      segments: [0, 2],
      missing: [1, 3],
    });
  });

  test('one lost sound makes a segment partial', () => {
    const { video, audio } = fileOf(0, 1);
    const judged = tally(reference, { video, audio: audio.slice(0, -1) }, [0, 1]);
    expect(judged.segments).toEqual([0]);
    expect(judged.partial).toEqual([{ position: 1, video: [3, 3], audio: [1, 2] }]);
  });

  test('a repeated segment is duplicated, and steps back', () => {
    const judged = tally(reference, fileOf(0, 1, 1, 2), [0, 1, 2]);
    expect(judged).toEqual({ ...clean, segments: [0, 1, 2], duplicated: [1], outOfOrder: 2 });
  });

  test('a recording may run through the end of the set', () => {
    const expected = expectedPositions(5, 3, 1);
    expect(expected).toEqual([3, 4, 0, 1]);
    const judged = tally(reference, fileOf(3, 4, 0, 1), expected);
    expect(judged).toEqual({ ...clean, segments: [3, 4, 0, 1] });
  });

  test('what was not expected, and what belongs to no segment, is told', () => {
    const { video, audio } = fileOf(2, 4);
    const judged = tally(reference, { video: [...video, 'torn'], audio }, [2]);
    expect(judged).toEqual({ ...clean, segments: [2, 4], unexpected: [4], unknownPackets: 1 });
  });

  test('every expected segment is whole, partial or missing, whatever packets there are', () => {
    const all = fileOf(0, 1, 2, 3, 4);
    fc.assert(
      fc.property(
        fc.subarray([...all.video]),
        fc.subarray([...all.audio]),
        fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 })),
        (video, audio, [from, to]) => {
          const expected = expectedPositions(5, from, to);
          const { segments, partial, missing, duplicated } = tally(
            reference,
            { video, audio },
            expected,
          );
          const told = [...segments, ...partial.map(({ position }) => position), ...missing];
          expect(new Set(told).size).toBe(told.length);
          expect(told).toEqual(expect.arrayContaining(expected));
          expect(duplicated).toEqual([]);
        },
      ),
    );
  });
});

test('the framemd5 format is read by stream, whichever comes first', () => {
  const text = [
    '#format: frame checksums',
    '#media_type 0: audio',
    '#codec_id 0: aac',
    '#media_type 1: video',
    '0,          0,          0,     1024,       62, 69ae8faa91c17990225e5d02f077368b',
    '1,          0,       3600,     3600,      234, 0cd3553d99013c8e02c8e39da9693fa2',
    '',
  ].join('\n');
  expect(parseFrameHashes(text)).toEqual({
    audio: ['69ae8faa91c17990'],
    video: ['0cd3553d99013c8e'],
  });
});
