import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResponseParser } from '../../../src/hls/transport/responseParser.ts';

/** Feeds the bytes cut at the given places and returns the body, or the error's reason. */
function parse(bytes: Buffer, cuts: readonly number[] = []) {
  const body: Buffer[] = [];
  const parser = new ResponseParser('test', {
    onHead: () => undefined,
    onBody: (piece) => body.push(Buffer.from(piece)),
  });
  // One buffer for all reads, as the sockets have it: whoever keeps a view of it sees it change.
  const shared = Buffer.alloc(bytes.length);
  try {
    let at = 0;
    for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
      const piece = bytes.subarray(at, cut);
      shared.fill(0xee);
      shared.set(piece);
      parser.feed(shared.subarray(0, piece.length));
      at = cut;
    }
    const done = parser.done;
    parser.end();
    return { done, body: Buffer.concat(body) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : error, body: Buffer.concat(body) };
  }
}

const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });

const chunked = pieces.map((parts) => ({
  body: Buffer.concat(parts),
  bytes: Buffer.concat([
    Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
    ...parts.flatMap((part) => [
      Buffer.from(`${part.length.toString(16)}\r\n`),
      part,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\n\r\n'),
  ]),
}));

const counted = pieces.map((parts) => {
  const body = Buffer.concat(parts);
  const head = `HTTP/1.1 206 Part\r\ncontent-length: ${body.length}\r\n\r\n`;
  return { body, bytes: Buffer.concat([Buffer.from(head), body]) };
});

const message = fc.oneof(chunked, counted);
const cutting = message.chain((whole) =>
  fc.record({
    whole: fc.constant(whole),
    cuts: fc.array(fc.nat(whole.bytes.length), { maxLength: 30 }),
  }),
);

test('a body is the same however the network cuts it up', () => {
  fc.assert(
    fc.property(cutting, ({ whole, cuts }) => {
      expect(parse(whole.bytes, cuts)).toEqual({ done: true, body: whole.body });
    }),
    { numRuns: 300 },
  );
});

test('an answer that ends anywhere before its end is never taken for whole', () => {
  fc.assert(
    fc.property(cutting, ({ whole, cuts }) => {
      for (const cut of cuts.filter((place) => place < whole.bytes.length)) {
        const short = parse(whole.bytes.subarray(0, cut));
        expect(short.failed).toBeDefined();
        expect(whole.body.subarray(0, short.body.length)).toEqual(short.body);
      }
    }),
  );
});

test('what is refused is refused however the network cuts it up', () => {
  const broken = cutting.chain(({ whole, cuts }) =>
    fc.record({ at: fc.nat(whole.bytes.length - 1), byte: fc.nat(255) }).map(({ at, byte }) => {
      const bytes = Buffer.from(whole.bytes);
      bytes[at] = byte;
      return { bytes, cuts };
    }),
  );
  fc.assert(
    fc.property(broken, ({ bytes, cuts }) => {
      const [inOne, inPieces] = [parse(bytes), parse(bytes, cuts)];
      expect('failed' in inPieces).toBe('failed' in inOne);
      if (!('failed' in inOne)) expect(inPieces.body).toEqual(inOne.body);
    }),
    { numRuns: 300 },
  );
});

test('a header of nothing but blanks costs no more than another of its length', () => {
  // Read with a pattern that tries all ways to share out the blanks, this one takes a quarter of a minute.
  const head = (value: string) =>
    Buffer.from(`HTTP/1.1 200 OK\r\nx:${value}\r\ncontent-length: 0\r\n\r\n`);
  const blanks = ' \t'.repeat(31_000);
  expect(parse(head(`${blanks}\0`))).toMatchObject({ failed: 'test: a malformed header line' });
  expect(parse(head(`${blanks}y${blanks.slice(-900)}`))).toMatchObject({ done: true });
});

test('no white space but blanks and tabs is taken off a value', () => {
  const sized = (value: string) =>
    parse(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length:${value}\r\n\r\nx`, 'latin1'));
  expect(sized(' \t1\t ')).toMatchObject({ done: true });
  expect(sized('1\xa0')).toMatchObject({ failed: 'test: a malformed content length' });
});

test('an empty line after the body, as old servers send it, changes nothing; anything else is refused', () => {
  const sized = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi';
  const inChunks = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n';
  for (const whole of [sized, inChunks]) {
    const followedBy = (rest: string, cuts: readonly number[] = []) =>
      parse(Buffer.from(`${whole}${rest}`), cuts);
    for (const cut of [0, whole.length - 1, whole.length, whole.length + 1])
      expect(followedBy('\r\n', [cut])).toEqual({ done: true, body: Buffer.from('hi') });
    for (const rest of ['x', '\r\nHTTP/1.1 200 OK\r\n', ' '])
      expect(followedBy(rest)).toMatchObject({ failed: 'test: bytes after the end of the body' });
  }
});
