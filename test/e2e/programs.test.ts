import { afterAll, describe, expect } from 'vitest';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import { startDashWorld } from '../support/worlds/dashWorld.ts';
import { startFileWorld } from '../support/worlds/fileWorld.ts';
import { startPageWorld } from '../support/worlds/pageWorld.ts';
import {
  type Ended,
  logsOf,
  type ProgramStage,
  programStage,
} from '../support/worlds/programStage.ts';
import { startRtmpWorld } from '../support/worlds/rtmpWorld.ts';
import { startRtspWorld } from '../support/worlds/rtspWorld.ts';
import { startSrtWorld } from '../support/worlds/srtWorld.ts';
import { testWithTools } from '../support/worlds/testWith.ts';
import { findWorldTools } from '../support/worlds/worldTools.ts';

/*
 * Real yt-dlp, ffmpeg and streamlink record real sources. What came of it is judged by its packets against what the source
 * played, not by Kennel's word.
 */

const tools = await findWorldTools();
const testWith = testWithTools(tools);
/** Sources that are made in real time, and must not come late themselves. */
const testAlone = testWithTools(tools, 'alone');

const stages: ProgramStage[] = [];
afterAll(() => {
  for (const stage of stages.splice(0)) stage.remove();
});
const setup = (): ProgramStage => {
  const stage = programStage();
  stages.push(stage);
  return stage;
};

const SECONDS = 8;
const DURATION = ['--duration', `${SECONDS}s`];

/** What a failure is to be understood by. */
const all = (stage: ProgramStage, { stderr, stdout }: Ended) =>
  `${stderr}\n${stdout.slice(-6_000)}\n${logsOf(stage.home)}`;

interface Expected {
  readonly ffmpeg: string;
  readonly truth: Parameters<ProgramStage['account']>[1]['truth'];
  readonly recorder: string;
  readonly video?: boolean;
}

/** Complete, by the right program, with a proof that is true, and nothing left behind. */
async function expectWhole(stage: ProgramStage, ended: Ended, expected: Expected): Promise<void> {
  const { recorder, ...judged } = expected;
  expect(ended.code, all(stage, ended)).toBe(0);
  expect(ended.last).toMatchObject({ state: 'done', outcome: 'complete', exitCode: 0 });
  const account = await stage.account(ended, judged);
  expect(account.untruths).toEqual([]);
  expect(account.ledger.durationMs).toBeGreaterThan((SECONDS - 2) * 1_000);
  const { attempts, source = {} } = account.ledger;
  expect({ attempts, recorder: source['recorder'] ?? 'native' }).toEqual({ attempts: 1, recorder });
  expect(stage.leftovers(ended)).toEqual([]);
}

const liveHls = () => startOrigin({ streams: { ts: { set: 'ts', window: 10 } } });

describe('HLS by a program that was asked for', () => {
  testWith('yt-dlp records a page', ['ffmpeg', 'ytDlp'], async ({ ffmpeg }) => {
    await using origin = await liveHls();
    await using pages = await startPageWorld({ media: origin.playlistUrl('ts') });
    const stage = setup();
    const ended = await stage.record(`${pages.url}/watch`, '--recorder', 'yt-dlp', ...DURATION);
    await expectWhole(stage, ended, { ffmpeg, truth: 'ts', recorder: 'yt-dlp' });
  });

  testWith('yt-dlp records a playlist', ['ffmpeg', 'ytDlp'], async ({ ffmpeg }) => {
    await using origin = await liveHls();
    const stage = setup();
    const ended = await stage.record(
      origin.playlistUrl('ts'),
      ...['--recorder', 'yt-dlp'],
      ...DURATION,
    );
    await expectWhole(stage, ended, { ffmpeg, truth: 'ts', recorder: 'yt-dlp' });
  });

  testWith('ffmpeg records a playlist', ['ffmpeg'], async ({ ffmpeg }) => {
    await using origin = await liveHls();
    const stage = setup();
    const ended = await stage.record(
      origin.playlistUrl('ts'),
      ...['--recorder', 'ffmpeg'],
      ...DURATION,
    );
    await expectWhole(stage, ended, { ffmpeg, truth: 'ts', recorder: 'ffmpeg' });
  });

  testWith('streamlink records a playlist', ['ffmpeg', 'streamlink'], async ({ ffmpeg }) => {
    await using origin = await liveHls();
    const stage = setup();
    const ended = await stage.record(
      origin.playlistUrl('ts'),
      ...['--recorder', 'streamlink'],
      ...DURATION,
    );
    await expectWhole(stage, ended, { ffmpeg, truth: 'ts', recorder: 'streamlink' });
  });

  testWith('only the sound is kept when that is asked for', ['ffmpeg'], async ({ ffmpeg }) => {
    await using origin = await liveHls();
    const stage = setup();
    const ended = await stage.record(
      origin.playlistUrl('ts'),
      ...['--recorder', 'ffmpeg', '--audio'],
      ...DURATION,
    );
    await expectWhole(stage, ended, { ffmpeg, truth: 'ts', recorder: 'ffmpeg', video: false });
  });
});

describe('what only programs can record', () => {
  testWith('RTMP', ['ffmpeg', 'nginx', 'rtmpModule'], async (tools) => {
    await using world = await startRtmpWorld({ ...tools, module: tools.rtmpModule });
    const stage = setup();
    const ended = await stage.record(world.url, ...DURATION);
    await expectWhole(stage, ended, { ...tools, truth: world.truth, recorder: 'ffmpeg' });
  });

  testWith('RTSP', ['ffmpeg', 'rtspPython'], async ({ ffmpeg, rtspPython }) => {
    await using world = await startRtspWorld({ ffmpeg, python: rtspPython });
    const stage = setup();
    const ended = await stage.record(world.url, ...DURATION);
    await expectWhole(stage, ended, { ffmpeg, truth: world.truth, recorder: 'ffmpeg' });
  });

  testWith('SRT', ['ffmpeg', 'srt'], async ({ ffmpeg }) => {
    await using world = await startSrtWorld({ ffmpeg });
    const stage = setup();
    const ended = await stage.record(world.url, ...DURATION);
    await expectWhole(stage, ended, { ffmpeg, truth: world.truth, recorder: 'ffmpeg' });
  });

  // ffmpeg 5.1 asks for segments that are not there yet, and puts others out twice then: streamlink does it better.
  testAlone('live DASH', ['ffmpeg', 'dash', 'streamlink'], async ({ ffmpeg }) => {
    await using world = await startDashWorld({ ffmpeg });
    const stage = setup();
    const ended = await stage.record(world.url, ...DURATION);
    await expectWhole(stage, ended, { ffmpeg, truth: world.truth, recorder: 'streamlink' });
  });

  testAlone(
    'an RTMP encoder that went away comes back: one recording, and the time between is named',
    ['ffmpeg', 'nginx', 'rtmpModule'],
    async (tools) => {
      await using world = await startRtmpWorld({ ...tools, module: tools.rtmpModule });
      const stage = setup();
      const running = stage.start(world.url, '--duration', '22s');
      await running.saw('segment.stored');
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await world.killPublisher();
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await world.startPublisher();
      const ended = stage.ended(await running.ended);
      expect(ended.code, all(stage, ended)).toBe(3);
      const account = await stage.account(ended, { ffmpeg: tools.ffmpeg, truth: world.truth });
      expect(account.untruths).toEqual([]);
      expect(account.missingMs).toBeGreaterThan(1_000);
      expect(stage.leftovers(ended)).toEqual([]);
    },
  );
});

describe('a file', () => {
  testWith(
    'MP4 and MPEG-TS are recorded to their end, which is the end of the recording',
    ['ffmpeg'],
    async ({ ffmpeg }) => {
      await using world = await startFileWorld({ ffmpeg });
      for (const url of [world.mp4Url, world.tsUrl]) {
        const stage = setup();
        const ended = await stage.record(url);
        await expectWhole(stage, ended, { ffmpeg, truth: world.truth, recorder: 'ffmpeg' });
        const { judgement } = await stage.account(ended, { ffmpeg, truth: world.truth });
        expect(judgement.segments).toHaveLength(60);
      }
    },
  );

  testWith(
    'WebM, which does not fit into MPEG-TS, is recorded whole',
    ['ffmpeg', 'vp9'],
    async ({ ffmpeg }) => {
      await using world = await startFileWorld({ ffmpeg, webm: true });
      const stage = setup();
      const ended = await stage.record(world.webmUrl);
      expect(ended.code, all(stage, ended)).toBe(0);
      const { ledger } = await stage.account(ended, { ffmpeg, truth: world.truth });
      expect(Math.abs(ledger.durationMs - world.webmMs)).toBeLessThan(200);
      expect(stage.leftovers(ended)).toEqual([]);
    },
  );
});

describe('a page by the native engine', () => {
  const expectNative = async (
    stage: ProgramStage,
    ended: Ended,
    { origin, ffmpeg }: { origin: Awaited<ReturnType<typeof liveHls>>; ffmpeg: string },
  ) => {
    await expectWhole(stage, ended, { ffmpeg, truth: 'ts', recorder: 'native' });
    const { ledger } = await stage.account(ended, { ffmpeg, truth: 'ts' });
    const claims = { stored: ledger.segments(), lost: ledger.gaps() };
    const account = reconcile(origin.stream('ts'), claims);
    const { stored, lost, unaccounted, twice, wrong, invented } = account;
    // Whoever finds out what is behind a page reads its playlist too: what left the window before the engine came is not its loss.
    const [first = 0] = stored;
    expect({
      ...{ lost, twice, wrong, invented },
      unaccounted: unaccounted.filter((index) => index > first),
    }).toEqual({ lost: [], unaccounted: [], twice: [], wrong: [], invented: [] });
  };

  testWith('a page, and one that redirects to it', ['ffmpeg', 'ytDlp'], async ({ ffmpeg }) => {
    for (const path of ['/watch', '/redirect']) {
      await using origin = await liveHls();
      await using pages = await startPageWorld({ media: origin.playlistUrl('ts') });
      const stage = setup();
      const ended = await stage.record(`${pages.url}${path}`, ...DURATION);
      await expectNative(stage, ended, { origin, ffmpeg });
    }
  });

  testWith(
    'an address that expires is renewed, without loss',
    ['ffmpeg', 'ytDlp'],
    async ({ ffmpeg }) => {
      await using origin = await liveHls();
      await using pages = await startPageWorld({ media: origin.playlistUrl('ts'), tokenMs: 9_000 });
      const stage = setup();
      const ended = await stage.record(`${pages.url}/token`, '--duration', '25s');
      await expectNative(stage, ended, { origin, ffmpeg });
      expect(pages.tokens().given).toBeGreaterThan(2);
    },
  );

  for (const [path, title] of [
    ['/notfound', 'a page that is not there yet is waited for'],
    ['/later', 'a page that has nothing yet is waited for'],
  ] as const) {
    testWith(title, ['ffmpeg', 'ytDlp'], async ({ ffmpeg }) => {
      await using origin = await liveHls();
      const media = origin.playlistUrl('ts');
      await using pages = await startPageWorld({ media, notLiveMs: 4_000 });
      const stage = setup();
      const ended = await stage.record(`${pages.url}${path}`, '--wait', '60s', ...DURATION);
      await expectNative(stage, ended, { origin, ffmpeg });
      expect(pages.asked.get(path)).toBeGreaterThan(1);
    });
  }

  testWith(
    'a page without media, for members, or of several: each is refused in its own words',
    ['ytDlp'],
    async () => {
      await using origin = await liveHls();
      await using pages = await startPageWorld({ media: origin.playlistUrl('ts') });
      const codes: Record<string, unknown> = {};
      for (const path of ['/empty', '/login', '/list', '/nowhere']) {
        const stage = setup();
        const { code, last } = await stage.record(`${pages.url}${path}`);
        codes[path] = [code, last?.verdict];
      }
      expect(codes).toEqual({
        '/empty': [65, 'source.unsupported'],
        '/login': [77, 'source.login'],
        '/list': [64, 'source.list'],
        '/nowhere': [66, 'source.notFound'],
      });
    },
  );
});
