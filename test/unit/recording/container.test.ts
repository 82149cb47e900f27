import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ContainerCheck,
  type ExpectedContainer,
  sniffContainer,
} from '../../../src/recording/files/container.ts';

const ts = (packets: number) =>
  Buffer.concat(Array.from({ length: packets }, (_, i) => Buffer.alloc(188, i).fill(0x47, 0, 1)));

const box = (type: string, content: number, size = content + 8) => {
  const bytes = Buffer.alloc(content + 8);
  bytes.writeUInt32BE(size);
  bytes.write(type, 4, 'latin1');
  return bytes;
};
const largeBox = (type: string, content: number) => {
  const bytes = Buffer.alloc(content + 16);
  bytes.writeUInt32BE(1);
  bytes.write(type, 4, 'latin1');
  bytes.writeBigUInt64BE(BigInt(content + 16), 8);
  return bytes;
};

const segment = Buffer.concat([box('styp', 16), box('moof', 100), box('mdat', 500)]);
const init = Buffer.concat([box('ftyp', 20), box('moov', 300)]);
const adts = Buffer.concat([Buffer.from([0xff, 0xf1, 0x50, 0x80]), Buffer.alloc(100)]);

function check(bytes: Buffer, expected: ExpectedContainer = 'any', cuts: readonly number[] = []) {
  const checked = new ContainerCheck(expected);
  let at = 0;
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    checked.feed(Buffer.from(bytes.subarray(at, cut)));
    at = cut;
  }
  return checked.finish();
}

const refusal = (reason: RegExp) =>
  expect.objectContaining({ code: 'segment.invalid', message: expect.stringMatching(reason) });

describe('a whole segment', () => {
  test('is told by its first bytes', () => {
    expect(sniffContainer(ts(1))).toBe('ts');
    expect(sniffContainer(segment)).toBe('fmp4');
    expect(sniffContainer(init)).toBe('fmp4');
    expect(sniffContainer(adts)).toBe('packed');
    expect(sniffContainer(Buffer.from('ID3\x04\x00'))).toBe('packed');
    expect(sniffContainer(Buffer.from([0xff, 0xfb, 0x90, 0x00]))).toBe('packed');
    expect(sniffContainer(Buffer.from([0x0b, 0x77, 0x00]))).toBe('packed');
    for (const vtt of ['WEBVTT', 'WEBVTT\n', 'WEBVTT - title\r\n', '\xef\xbb\xbfWEBVTT\t'])
      expect(sniffContainer(Buffer.from(vtt, 'latin1'))).toBe('webvtt');
    for (const other of ['', '<html>', '#EXTM3U', 'WEBVTTX', '\xff\xff\xff', '\xff\xd8\xff\xe0']) {
      expect(sniffContainer(Buffer.from(other, 'latin1'))).toBeUndefined();
    }
  });

  test('passes as what it is and as what was expected', () => {
    for (const expected of ['any', 'ts', 'init'] as const)
      expect(check(ts(7), expected)).toBe('ts');
    for (const expected of ['any', 'fmp4'] as const) expect(check(segment, expected)).toBe('fmp4');
    for (const expected of ['any', 'packed'] as const) expect(check(adts, expected)).toBe('packed');
    for (const expected of ['any', 'webvtt'] as const)
      expect(check(Buffer.from('WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n'), expected)).toBe(
        'webvtt',
      );
    expect(check(init, 'init')).toBe('fmp4');
    expect(check(Buffer.concat([init, segment]))).toBe('fmp4');
  });

  test('may be subtitles without any cue, as most of their segments are', () => {
    for (const text of [
      'WEBVTT',
      'WEBVTT\n',
      'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n',
    ])
      for (const cuts of [[], [1, 2, 3], [6]])
        expect(check(Buffer.from(text), 'any', cuts)).toBe('webvtt');
  });

  test('may have boxes with 64-bit sizes, and a last one that ends with the file', () => {
    expect(check(Buffer.concat([box('moof', 9), largeBox('mdat', 50)]))).toBe('fmp4');
    expect(check(Buffer.concat([box('moof', 9), box('mdat', 50, 0)]))).toBe('fmp4');
  });
});

describe('what is no whole segment is refused', () => {
  test('an empty body', () => {
    expect(() => check(Buffer.alloc(0))).toThrow(refusal(/empty/));
  });

  test('a page, a playlist, an error in JSON, a picture', () => {
    const page = '<!DOCTYPE html><title>Sign in</title>';
    expect(() => check(Buffer.from(page))).toThrow(refusal(/looks like html/));
    expect(() => check(Buffer.from('#EXTM3U\n#EXT-X-VERSION:3\n'))).toThrow(refusal(/playlist/));
    expect(() => check(Buffer.from('{"error":"gone"}'))).toThrow(refusal(/json/));
    expect(() => check(Buffer.from('\x89PNG\r\n', 'latin1'))).toThrow(refusal(/image/));
    expect(() => check(Buffer.from('not found'))).toThrow(refusal(/text/));
  });

  test('a transport stream with a torn last packet, or that loses its step', () => {
    expect(() => check(ts(7).subarray(0, -1))).toThrow(refusal(/last packet has 187/));
    const shifted = Buffer.concat([ts(2), Buffer.from('x'), ts(2).subarray(0, -1)]);
    expect(() => check(shifted)).toThrow(refusal(/no sync byte at byte 376/));
  });

  test('more boxes than any encoder makes: each costs time and memory', () => {
    const pairs = Array.from({ length: 32_768 }, () => [box('moof', 0), box('mdat', 0)]).flat();
    expect(check(Buffer.concat(pairs))).toBe('fmp4');
    expect(() => check(Buffer.concat([...pairs, box('free', 0)]))).toThrow(refusal(/65536 boxes/));
  });

  test('boxes that do not cover the file exactly, or lack what a segment needs', () => {
    expect(() => check(segment.subarray(0, -1))).toThrow(refusal(/lacks 1 bytes/));
    expect(() => check(Buffer.concat([segment, Buffer.alloc(3)]))).toThrow(
      refusal(/header of a box/),
    );
    expect(() => check(Buffer.concat([segment, Buffer.alloc(8)]))).toThrow(refusal(/add up/));
    expect(() => check(Buffer.concat([box('moof', 9), box('mdat', 9, 4)]))).toThrow(
      refusal(/add up/),
    );
    expect(() => check(box('moof', 50))).toThrow(refusal(/no mdat/));
    expect(() => check(init)).toThrow(refusal(/no moof/));
    expect(() => check(segment, 'init')).toThrow(refusal(/no moov/));
  });

  test('another container than was expected', () => {
    expect(() => check(ts(3), 'fmp4')).toThrow(refusal(/it is ts, not fmp4/));
    expect(() => check(adts, 'init')).toThrow(refusal(/it is packed, not init/));
    expect(() => check(Buffer.from('WEBVTT'), 'init')).toThrow(refusal(/it is webvtt, not init/));
    expect(() => check(ts(3), 'webvtt')).toThrow(refusal(/it is ts, not webvtt/));
  });
});

test('the verdict is the same however the file is cut into pieces', () => {
  const files = [ts(4), ts(4).subarray(0, 700), segment, init, segment.subarray(0, 630), adts];
  const verdict = (...args: Parameters<typeof check>) => {
    try {
      return check(...args);
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(fc.nat(800), { maxLength: 40 }),
      (file, cuts) => {
        const within = cuts.filter((cut) => cut < file.length);
        expect(verdict(file, 'any', within)).toBe(verdict(file));
      },
    ),
    { numRuns: 200 },
  );
});
