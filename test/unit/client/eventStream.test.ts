import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvents } from '../../../src/client/eventReader.ts';
import { type ServiceEvent, serviceEvents } from '../../../src/client/eventStream.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { gathered } from '../../support/gathered.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const collect = async (pieces: readonly Uint8Array[]) => {
  const body = async function* () {
    yield* pieces;
  };
  return await gathered(readEvents(body()));
};

const STREAM =
  'retry: 2000\nid: 7-1\n\n: ping\n\nid: 7-2\nevent: job.moved\ndata: {"å":\ndata:1}\n\ndata: x\n\ndata: cut off';

test.each(['\n', '\r\n', '\r'])(
  'events are the same however their bytes are cut (%j)',
  async (end) => {
    const bytes = bytesOf(STREAM.replaceAll('\n', end));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
        const places = [0, ...cuts.sort((one, other) => one - other), bytes.length];
        const pieces = places.slice(1).map((place, index) => bytes.slice(places[index], place));
        const told = (await collect(pieces)).filter(({ data }) => data !== undefined);
        expect(told).toEqual([
          { lastId: '7-2', data: '{"å":\n1}', retryMs: 2_000 },
          { lastId: '7-2', data: 'x', retryMs: 2_000 },
        ]);
      }),
      { numRuns: 50 },
    );
  },
);

test('an id is told also where nothing happened, and a line without end is not kept for ever', async () => {
  expect(await collect([bytesOf('id: 1-1\n\n')])).toEqual([{ lastId: '1-1' }]);
  await expect(collect([bytesOf('x'.repeat(2 ** 21))])).rejects.toThrow(/no end/);
});

/** Time that passes as soon as somebody waits. */
function hurried() {
  const waits: number[] = [];
  const clock = {
    now: () => 0,
    elapsed: () => 0,
    setTimeout: (callback: () => void, delayMs: number) => {
      // Silence is watched by a longer one than any wait.
      if (delayMs > 40_000) return undefined;
      waits.push(delayMs);
      return setImmediate(callback);
    },
    clearTimeout: () => undefined,
  };
  return { clock, waits };
}

const event = (type: string, place: string) =>
  `id: ${place}\nevent: ${type}\ndata: ${JSON.stringify({ type, place, at: '', data: {} })}\n\n`;

/** What a service answers, connection after connection; after the last one the listener goes. */
function stream(...answers: (() => Response | Promise<never>)[]) {
  const { clock, waits } = hurried();
  const over = new AbortController();
  const asked: Request[] = [];
  const lost: string[] = [];
  const events = serviceEvents(
    {
      base: 'http://kennel.test/api/v1',
      clock,
      fetch: async (url, request) => {
        asked.push(new Request(url, request));
        const answer = answers.shift();
        if (answer) return await answer();
        over.abort();
        throw new Error('aborted');
      },
    },
    {
      jobId: 'j',
      types: ['job.*', 'disk.outlook'],
      signal: over.signal,
      onLost: (why) => lost.push(why),
    },
  );
  return { events, asked, waits, lost };
}

const types = async (events: AsyncIterable<ServiceEvent>) =>
  (await gathered(events)).map(({ type }) => type);
const away = () => Promise.reject(new KennelError('service.unavailable', 'x', { retryable: true }));

test('a stream that is cut off goes on where it was', async () => {
  const { events, asked, waits, lost } = stream(
    () =>
      new Response(
        `retry: 50\nid: 5-0\n\n${event('job.moved', '5-1')}${event('job.moved', '5-2')}`,
      ),
    away,
    away,
    () => new Response(event('job.decided', '5-3')),
  );
  expect(await types(events)).toEqual(['job.moved', 'job.moved', 'job.decided']);
  expect(asked.map(({ headers }) => headers.get('last-event-id'))).toEqual([
    null,
    '5-2',
    '5-2',
    '5-2',
    '5-3',
  ]);
  expect(asked[0]?.url).toBe('http://kennel.test/api/v1/jobs/j/events?types=job.*%2Cdisk.outlook');
  expect(waits).toEqual([50, 100, 200, 50]);
  expect(lost).toHaveLength(4);
});

test('who connects for the first time hears at once that nobody is there', async () => {
  await expect(types(stream(away).events)).rejects.toMatchObject({ code: 'service.unavailable' });
});

test('what does not pass ends the stream: a key that was revoked, a place that is gone', async () => {
  const { events } = stream(
    () => new Response(event('job.moved', '5-1')),
    () => Promise.reject(new KennelError('event.gone', 'x')),
  );
  await expect(types(events)).rejects.toMatchObject({ code: 'event.gone' });
});
