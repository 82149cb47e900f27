import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { nativeRecording } from '../../../src/hls/nativeRecorder.ts';
import { LinkSource } from '../../../src/hls/source/linkSource.ts';
import { PageHeaders } from '../../../src/hls/source/pageHeaders.ts';
import { PlaylistSource } from '../../../src/hls/source/playlistSource.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import type { ResolvedLink } from '../../../src/intake/link.ts';
import { recorderOf } from '../../../src/recording/recorderSession.ts';
import { type Answer, playlistText, type TinyOrigin } from './streamRecorderOrigin.ts';
import {
  fasterBy,
  originFor,
  recorderSetup,
  SPEC,
  segmentAt,
  sourceParts,
} from './streamRecorderSetup.ts';

const NOW = 1_700_000_000_000;
const notLive = () =>
  new KennelError('source.notLive', 'The channel is not currently live.', {
    retryable: true,
    details: { resolver: 'fake 1' },
  });

const hls = (url: string, more: Partial<ResolvedLink> = {}): ResolvedLink => ({
  kind: 'hls',
  url: new URL(url),
  headers: {},
  formats: [],
  resolver: 'fake 1',
  ...more,
});

/** One page and its playlist, asked by hand, on a clock that is moved by hand. */
async function setup(
  answer: (requested: string) => Answer | undefined,
  resolve: (origin: TinyOrigin, visit: number) => ResolvedLink,
) {
  const origin = await originFor(answer);
  const { transport, life } = sourceParts();
  const passed = { ms: 0 };
  const clock = { ...systemClock, elapsed: () => passed.ms, now: () => NOW + passed.ms };
  let visits = 0;
  const headers = new PageHeaders();
  const parts = { transport: headers.over(transport), clock, life };
  const link = new LinkSource({
    ...parts,
    url: new URL('http://page.test/watch'),
    quality: ['best'],
    recorded: () => undefined,
    pages: {
      resolveLink: async () => resolve(origin, ++visits),
      headers,
      takeCookies: async () => undefined,
    },
  });
  const address = ({
    variant,
    playlistUrl,
  }: {
    variant?: { url: URL } | undefined;
    playlistUrl: URL;
  }) => variant?.url ?? playlistUrl;
  const source = new PlaylistSource({ ...parts, link, address });
  const poll = async () =>
    await source.poll({ signal: life, timeoutMs: 5_000, cut: () => undefined });
  const pollFor = async (seconds: number) => {
    const failures: string[] = [];
    for (let second = 0; second < seconds; second++) {
      passed.ms += 1_000;
      await poll().catch((error: KennelError) => failures.push(error.code));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return failures;
  };
  return { origin, poll, pollFor, passed, visits: () => visits };
}

describe('a link that is a page', () => {
  it('is asked once, and its playlist from then on', async () => {
    const { pollFor, visits, origin } = await setup(
      () => playlistText({ first: 0, count: 3 }),
      ({ url }) => hls(`${url}/v.m3u8`),
    );
    expect(await pollFor(20)).toEqual([]);
    expect(visits()).toBe(1);
    expect(new Set(origin.asked)).toEqual(new Set(['/v.m3u8']));
  });

  it('is asked again before the address expires, and the old one is used until the new one answers', async () => {
    const { pollFor, visits, origin } = await setup(
      (requested) =>
        requested.endsWith('=3') ? { status: 503 } : playlistText({ first: 0, count: 3 }),
      ({ url }, visit) => hls(`${url}/v.m3u8?visit=${visit}`, { expiresAt: NOW + visit * 600_000 }),
    );
    expect(await pollFor(560)).toEqual([]);
    expect(visits()).toBe(1);
    expect(await pollFor(30)).toEqual([]);
    expect(visits()).toBe(2);
    expect(origin.asked.at(-1)).toBe('/v.m3u8?visit=2');
  });

  it('is asked again when its playlist is refused', async () => {
    const now = { good: 1 };
    const { pollFor, visits } = await setup(
      (requested) =>
        requested === `/v.m3u8?visit=${now.good}`
          ? playlistText({ first: 0, count: 3 })
          : { status: 403 },
      ({ url }, visit) => hls(`${url}/v.m3u8?visit=${visit}`),
    );
    await pollFor(2);
    now.good = 2;
    const failures = await pollFor(10);
    expect(failures.length).toBeLessThan(7);
    expect(new Set(failures)).toEqual(new Set(['source.refused']));
    expect(visits()).toBe(2);
  });

  it('is left alone for a while after each time that it led nowhere', async () => {
    const { pollFor, visits } = await setup(
      () => undefined,
      () => {
        throw notLive();
      },
    );
    const failures = await pollFor(600);
    expect(new Set(failures)).toEqual(new Set(['source.notLive']));
    expect(visits()).toBeGreaterThan(8);
    expect(visits()).toBeLessThan(20);
  });

  it('that leads to an address which is refused is not visited more often for that', async () => {
    const { pollFor, visits } = await setup(
      () => ({ status: 403 }),
      ({ url }) => hls(`${url}/v.m3u8`),
    );
    expect(new Set(await pollFor(600))).toEqual(new Set(['source.refused']));
    expect(visits()).toBeLessThan(20);
  });

  it('that fails does not end what plays already', async () => {
    const { pollFor, visits } = await setup(
      () => playlistText({ first: 0, count: 3 }),
      ({ url }, visit) => {
        if (visit > 1) throw notLive();
        return hls(`${url}/v.m3u8`, { expiresAt: NOW + 60_000 });
      },
    );
    expect(await pollFor(300)).toEqual([]);
    expect(visits()).toBeGreaterThan(2);
  });
});

describe('a recording of a page', () => {
  async function recording(
    resolve: (origin: TinyOrigin, visit: number) => ResolvedLink,
    spec: Partial<Parameters<Awaited<ReturnType<typeof recorderSetup>>['record']>[0]> = {},
  ) {
    const other = await originFor(segmentAt);
    const origin = await originFor((requested) =>
      requested.startsWith('/live.m3u8')
        ? playlistText({
            first: 0,
            count: 3,
            ended: true,
            name: (msn) => `${other.url}/s${msn}.ts`,
          })
        : segmentAt(requested),
    );
    const parts = await recorderSetup();
    const transport = leanTransport();
    onTestFinished(() => transport.close());
    let visits = 0;
    const start = recorderOf(
      nativeRecording(transport, { resolveLink: async () => resolve(origin, ++visits) }),
      () => 'native',
    );
    const exit = await start({
      job: {
        id: 'job-1',
        attempt: 1,
        spec: { url: 'http://page.test/watch?token=1', ...SPEC, ...spec },
      },
      directory: parts.directory,
      clock: fasterBy(200),
      random: () => 0.5,
      onStarted: () => undefined,
      log: (message, fields) => void parts.logged.push({ message, fields }),
    }).exited;
    return { ...parts, origin, other, exit, visits };
  }

  it('sends what the page asked for with playlists and segments, wherever they are, and tells who broadcasts', async () => {
    const cookies = '127.0.0.1\tFALSE\t/\tFALSE\t0\tvisit\t7\n';
    const { exit, origin, other, journal } = await recording(
      ({ url }) =>
        hls(`${url}/live.m3u8?t=1`, {
          headers: { Referer: 'http://page.test/watch', 'X-Own': 'the page', Range: 'bytes=0-1' },
          cookies,
          title: 'Evening',
          uploader: 'Ann',
        }),
      { headers: { 'x-own': 'the job' }, cookies: cookies.replace('visit\t7', 'sid\t8') },
    );
    expect(exit).toMatchObject({ kind: 'ended', why: 'endlist' });
    const sent = [...origin.requests, ...other.requests].map(({ headers }) => headers);
    expect(sent.length).toBeGreaterThanOrEqual(4);
    for (const headers of sent) {
      expect(headers).toMatchObject({
        referer: 'http://page.test/watch',
        'x-own': 'the job',
        cookie: 'sid=8; visit=7',
      });
      expect(headers.range).toBeUndefined();
    }
    const { records } = await journal();
    expect(records.find(({ t }) => t === 'started')).toMatchObject({
      source: {
        title: 'Evening',
        uploader: 'Ann',
        resolver: 'fake 1',
        page: 'http://page.test/watch',
      },
    });
  });

  it('that has not begun waits for it, says so once, and begins when it is live', async () => {
    const { exit, visits, logged } = await recording(
      ({ url }, visit) => {
        if (visit < 4) throw notLive();
        return hls(`${url}/live.m3u8`);
      },
      { waitMs: 600_000 },
    );
    expect(exit).toMatchObject({ kind: 'ended' });
    expect(visits).toBe(4);
    const waits = logged.filter(({ message }) => message.includes('waited for'));
    expect(waits.map(({ fields }) => fields['code'])).toEqual(['source.notLive']);
  });

  it('that has not begun ends at once when nobody wants to wait, and says why', async () => {
    const { exit, visits } = await recording(() => {
      throw notLive();
    });
    expect(exit).toMatchObject({ kind: 'failed', why: 'source.notLive' });
    expect(visits).toBe(1);
  });

  it('that leads to something else than HLS says so', async () => {
    const { exit } = await recording(({ url }) => ({ ...hls(`${url}/a.mp4`), kind: 'file' }));
    expect(exit).toMatchObject({ kind: 'failed', why: 'source.unsupported' });
  });
});

it('headers of a page go to the origins that it led to and to no others', async () => {
  const sent: Record<string, unknown>[] = [];
  const headers = new PageHeaders();
  headers.learn({ Referer: 'http://page.test/' }, [new URL('http://a.test/x')]);
  const transport = headers.over({
    get: async (request) => {
      sent.push({ ...request.headers });
      return { status: 200, headers: {}, url: request.url, bytes: 0 };
    },
    close: () => undefined,
  });
  const signal = new AbortController().signal;
  for (const host of ['a.test', 'b.test']) {
    await transport.get({
      url: new URL(`http://${host}/y`),
      signal,
      bodyBytesMax: 1,
      idleTimeoutMs: 1,
      onData: () => undefined,
    });
  }
  expect(sent).toEqual([{ referer: 'http://page.test/' }, {}]);
});
