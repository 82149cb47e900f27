import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import type { Transport } from '../../../src/hls/transport/transport.ts';
import { readAnswer } from './rfc9112.ts';
import { rawServer } from './transportServer.ts';

const CASES = 2000;
/** Cases at once. */
const LANES = 48;
/** For answers that may never be whole; a busy machine may take so long too, which is an outcome like any other. */
const IDLE_TIMEOUT_MS = 400;
/** Far beyond the idle timeout: whoever is not over by then hangs, however busy the machine is. */
const HANG_MS = 20_000;
const SEED = 20_261_121;

interface Case {
  readonly bytes: Buffer;
  /** Where the bytes are cut; each piece is written for itself. */
  readonly cuts: readonly number[];
  /** What the server does after the last piece. */
  readonly ending: 'closes' | 'waits' | 'resets';
}

type Outcome =
  | { readonly status: number; readonly body: Buffer }
  | { readonly error: unknown; readonly body: Buffer };

const text = (...parts: readonly string[]) => Buffer.from(parts.join(''), 'latin1');
const blanks = fc.constantFrom('', ' ', '\t ', '   ');
const anyCase = (name: string) => fc.constantFrom(name, name.toUpperCase(), name.toLowerCase());
const line = (name: string, value: string) =>
  fc.tuple(anyCase(name), blanks, blanks).map(([n, a, b]) => `${n}:${a}${value}${b}\r\n`);
const noise = fc.oneof(
  line('Server', 'nginx'),
  line('Connection', 'keep-alive'),
  line('Connection', 'close'),
  line('Keep-Alive', 'timeout=5'),
  line('Set-Cookie', 'a=b; Path=/'),
  line('X-Latin', '\xe4\xf6'),
);
const heads = fc.array(noise, { maxLength: 4 }).map((lines) => lines.join(''));
const start = (codes: readonly string[], version = '1.1') =>
  fc.constantFrom(...codes).map((code) => `HTTP/${version} ${code}\r\n`);
const codes = ['200 OK', '200', '206 Part', '404 Not Found', '500 '];
const interim = fc.constantFrom(
  '',
  '',
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\n',
);
const piece = fc.uint8Array({ minLength: 0, maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const counted = fc
  .tuple(interim, start(codes), heads, piece)
  .chain(([before, first, some, body]) =>
    line('Content-Length', `${body.length}`).map((length) =>
      Buffer.concat([text(before, first, some, length, '\r\n'), body]),
    ),
  );
const untilClose = fc
  .tuple(start(codes), start(codes, '1.0'), fc.boolean(), heads, piece)
  .map(([newer, older, isOld, some, body]) =>
    Buffer.concat([text(isOld ? older : newer, some, '\r\n'), body]),
  );
const bodiless = fc
  .tuple(start(['204 No Content', '304 Not Modified']), heads)
  .map(([first, some]) => text(first, some, '\r\n'));
const size = (bytes: number) =>
  fc
    .tuple(
      fc.constantFrom('', '0', '000'),
      fc.boolean(),
      fc.constantFrom('', ' ', ';a=b', ';q="1;2"', ' ;x'),
    )
    .map(([zeros, upper, extension]) => {
      const hex = bytes.toString(16);
      return `${zeros}${upper ? hex.toUpperCase() : hex}${extension}\r\n`;
    });
const chunk = piece
  .filter(({ length }) => length > 0)
  .chain((body) =>
    size(body.length).map((first) => Buffer.concat([text(first), body, text('\r\n')])),
  );
const chunked = fc
  .tuple(
    interim,
    start(codes),
    heads,
    line('Transfer-Encoding', 'chunked'),
    fc.array(chunk, { maxLength: 4 }),
    size(0),
    heads,
  )
  .map(([before, first, some, coding, chunks, last, trailer]) =>
    Buffer.concat([
      text(before, first, some, coding, '\r\n'),
      ...chunks,
      text(last, trailer, '\r\n'),
    ]),
  );
const message = fc.oneof(
  { weight: 3, arbitrary: counted },
  { weight: 4, arbitrary: chunked },
  { weight: 2, arbitrary: untilClose },
  { weight: 1, arbitrary: bodiless },
);

/** What changes the meaning of an answer, or leaves it open. */
const snippets = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '5',
  'f',
  '-1',
  '+3',
  '0x10',
  '\xa0',
  '\r\n ',
  'Content-Length: 3\r\n',
  'Content-Length: 1, 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  'Transfer-Encoding : chunked\r\n',
  '0\r\n\r\n',
  '3\r\nabc\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
];
type Mutation = (bytes: Buffer) => Buffer;
/** Where something happens: anywhere, but seldom in the first line, where nearly everything is refused. */
const share = (min: number, max: number) =>
  fc.noBias(fc.integer({ min, max })).map((part) => part / 100);
const place = fc.oneof(share(0, 99), share(20, 60), share(60, 99));
const at = (bytes: Buffer, where: number) => Math.floor(where * bytes.length);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([where, byte]): Mutation =>
      (bytes) => {
        const changed = Buffer.from(bytes);
        if (bytes.length > 0) changed[Math.min(bytes.length - 1, at(bytes, where))] = byte;
        return changed;
      },
  ),
  fc.tuple(place, fc.constantFrom(...snippets)).map(
    ([where, snippet]): Mutation =>
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, at(bytes, where)),
          text(snippet),
          bytes.subarray(at(bytes, where)),
        ]),
  ),
  // Whole lines, where they are sure to be read as such.
  fc.tuple(fc.noBias(fc.nat(6)), fc.constantFrom(...snippets)).map(
    ([index, snippet]): Mutation =>
      (bytes) => {
        const lines = bytes.toString('latin1').split('\r\n');
        lines.splice(Math.min(index + 1, lines.length - 1), 0, snippet.replace(/\r\n$/, ''));
        return text(lines.join('\r\n'));
      },
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
    ([where, length]): Mutation =>
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, at(bytes, where)),
          bytes.subarray(at(bytes, where) + length),
        ]),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(
    ([where, length]): Mutation =>
      (bytes) => {
        const from = at(bytes, where);
        return Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)]);
      },
  ),
  place.map(
    (where): Mutation =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  fc.noBias(fc.nat(8)).map(
    (index): Mutation =>
      (bytes) => {
        let line = 0;
        return text(
          bytes.toString('latin1').replaceAll('\r\n', (end) => (line++ === index ? '\n' : end)),
        );
      },
  ),
);

const sent = (mutations: { minLength?: number; maxLength: number }): fc.Arbitrary<Case> =>
  fc
    .tuple(
      message,
      fc.array(mutation, mutations),
      fc.array(fc.noBias(fc.nat(400)), { maxLength: 8 }),
      fc.constantFrom<Case['ending']>(...Array(14).fill('closes'), 'waits', 'resets'),
    )
    .map(([whole, changes, cuts, ending]) => {
      const bytes = changes.reduce<Buffer>((before, change) => change(before), whole);
      return {
        bytes,
        cuts: cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
        ending,
      };
    });

/** Serves the cases by number, and runs so many of them at once. */
async function run(cases: readonly Case[], idleTimeoutMs: number, transportFor: () => Transport) {
  const server = await rawServer((socket, request) => {
    const one = cases[Number(/^GET \/(\d+)/.exec(request)?.[1])];
    if (one === undefined) throw new Error('no such case');
    const edges = [0, ...one.cuts, one.bytes.length];
    const pieces = edges.slice(1).map((end, index) => one.bytes.subarray(edges[index], end));
    const write = () => {
      const next = pieces.shift();
      if (next !== undefined) {
        if (next.length > 0) socket.write(next);
        setImmediate(write);
      } else if (one.ending === 'closes') socket.end();
      else if (one.ending === 'resets') socket.resetAndDestroy();
    };
    write();
  });
  const outcomes: Outcome[] = [];
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < cases.length; index = next++) {
      outcomes[index] = await ask(transportFor(), server.url(`/${index}`), idleTimeoutMs);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return outcomes;
}

async function ask(transport: Transport, url: URL, idleTimeoutMs: number): Promise<Outcome> {
  const pieces: Buffer[] = [];
  let late: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error('it hangs')), HANG_MS);
  });
  const asked = transport.get({
    url,
    signal: new AbortController().signal,
    bodyBytesMax: 1_000_000,
    idleTimeoutMs,
    onData: (bytes) => void pieces.push(Buffer.from(bytes)),
  });
  try {
    const { status } = await Promise.race([asked, hang]);
    return { status, body: Buffer.concat(pieces) };
  } catch (error) {
    return { error, body: Buffer.concat(pieces) };
  } finally {
    clearTimeout(late);
  }
}

/** What an outcome may not be, if it is. */
function faultOf({ bytes, ending }: Case, outcome: Outcome): string | undefined {
  const read = readAnswer(bytes, ending === 'closes');
  if ('error' in outcome)
    return isKennelError(outcome.error) ? undefined : `rejected with ${outcome.error}`;
  const isWanted = outcome.status >= 200 && outcome.status < 300;
  // What does not matter may also be cut short.
  if (!isWanted)
    return outcome.body.length === 0 ? undefined : 'the body of a refusal was handed over';
  if (read.kind !== 'whole') return `resolved although it is ${read.kind}`;
  if (read.status !== outcome.status) return `another status than ${read.status}`;
  return read.body.equals(outcome.body) ? undefined : 'another body';
}

const told = ({ bytes, cuts, ending }: Case, outcome: Outcome | undefined) => ({
  bytes: JSON.stringify(bytes.toString('latin1')),
  cuts: cuts.join(),
  ending,
  outcome,
});

test('mutated answers in random pieces give exactly the bytes that HTTP says, or a failure in our words', async () => {
  const cases = fc.sample(sent({ minLength: 1, maxLength: 2 }), { numRuns: CASES, seed: SEED });
  const outcomes = await run(cases, IDLE_TIMEOUT_MS, () => {
    // What follows an answer could be read as the next one by anybody: nobody uses these connections again.
    const transport = leanTransport();
    onTestFinished(() => transport.close());
    return transport;
  });
  const faults = cases.flatMap((one, index) => {
    const outcome = outcomes[index];
    const fault = outcome === undefined ? 'no outcome' : faultOf(one, outcome);
    return fault === undefined ? [] : [{ fault, ...told(one, outcome) }];
  });
  expect(faults.slice(0, 5)).toEqual([]);
  // It is no test when nothing gets through, or everything.
  const resolved = outcomes.filter((outcome) => 'status' in outcome).length;
  expect(resolved).toBeGreaterThan(CASES / 10);
  expect(resolved).toBeLessThan((CASES * 9) / 10);
});

test('whole answers in random pieces on connections that are kept are all taken as they are', async () => {
  const transport = leanTransport();
  onTestFinished(() => transport.close());
  const cases = fc.sample(sent({ maxLength: 0 }), { numRuns: CASES / 4, seed: SEED });
  const kept = cases.map((one) => {
    const isWhole = readAnswer(one.bytes, false).kind === 'whole';
    return { ...one, ending: isWhole && one.ending !== 'resets' ? 'waits' : 'closes' } as const;
  });
  const outcomes = await run(kept, HANG_MS, () => transport);
  const faults = kept.flatMap((one, index) => {
    const outcome = outcomes[index];
    const fault =
      outcome === undefined || 'error' in outcome ? 'it was refused' : faultOf(one, outcome);
    return fault === undefined ? [] : [{ fault, ...told(one, outcome) }];
  });
  expect(faults.slice(0, 5)).toEqual([]);
});
