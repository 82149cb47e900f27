import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type Answer, mp4, playlistText, tsSegment } from './streamRecorderOrigin.ts';
import { fasterBy, originFor, recorderSetup, segmentAt, until } from './streamRecorderSetup.ts';

async function setup(answer: (requested: string) => Answer | undefined) {
  const origin = await originFor(answer);
  const parts = await recorderSetup();
  const record = (spec: Partial<JobSpec> = {}, attempt = 1, clock: Clock = fasterBy(30)) =>
    parts.record({ url: `${origin.url}/live.m3u8`, ...spec }, attempt, clock);
  return { ...parts, origin, record };
}

describe('a stream that ends', () => {
  it('is stored whole, and the journal tells the whole story in order', async () => {
    const { record, journal, file, started } = await setup((requested) =>
      requested === '/live.m3u8'
        ? playlistText({ first: 7, count: 5, ended: true })
        : segmentAt(requested),
    );
    const recorder = record();
    const exit = await recorder.exited;
    expect(exit).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { records, ledger } = await journal();
    expect(records.map(({ t }) => t).slice(0, 4)).toEqual([
      'recording',
      'attempt',
      'started',
      'epoch',
    ]);
    expect(records.at(-1)).toMatchObject({ t: 'ended', why: 'endlist' });
    expect(ledger.segments().map(({ msn, file: name }) => [msn, name])).toEqual(
      [7, 8, 9, 10, 11].map((msn) => [msn, `media/main/e0000/${String(msn).padStart(10, '0')}.ts`]),
    );
    expect(await readFile(file('media/main/e0000/0000000009.ts'))).toEqual(tsSegment(9));
    const progress = recorder.progress();
    expect(progress).toMatchObject({ advertised: 5, settled: 5 });
    expect(progress.bytes).toBeGreaterThanOrEqual(5 * 3760);
    expect(started).toEqual([ledger.startedAt]);
  });

  it('says so again when it is started once more, without asking the origin', async () => {
    const { record, origin, started } = await setup((requested) =>
      requested === '/live.m3u8'
        ? playlistText({ first: 0, count: 1, ended: true })
        : segmentAt(requested),
    );
    await record().exited;
    const asked = origin.asked.length;
    expect(await record({}, 2).exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    expect(origin.asked).toHaveLength(asked);
    expect(started).toHaveLength(2);
  });

  it('names the segments that the origin refuses or marks as missing', async () => {
    const text = playlistText({ first: 0, count: 4, ended: true }).replace(
      '#EXTINF:0.3,\ns2.ts',
      '#EXT-X-GAP\n#EXTINF:0.3,\ns2.ts',
    );
    const { record, journal } = await setup((requested) => {
      if (requested === '/live.m3u8') return text;
      return requested === '/s1.ts' ? { status: 410 } : segmentAt(requested);
    });
    const recorder = record({ patienceMs: 30_000 });
    expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { ledger } = await journal();
    expect(ledger.stored).toBe(2);
    expect(ledger.gaps().map(({ msn, cause }) => [msn, cause])).toEqual([
      [1, 'http.410'],
      [2, 'marked'],
    ]);
  });

  it('names what the disk would not take, and goes on with the rest', async () => {
    const { record, journal, file } = await setup((requested) =>
      requested === '/live.m3u8'
        ? playlistText({ first: 0, count: 3, ended: true })
        : segmentAt(requested),
    );
    await mkdir(file('media/main/e0000/0000000001.ts'), { recursive: true });
    const recorder = record({ patienceMs: 30_000 });
    expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { ledger } = await journal();
    expect(ledger.stored).toBe(2);
    expect(ledger.gaps().map(({ msn, cause }) => [msn, cause])).toEqual([[1, 'disk']]);
  });

  it('ends well although a temporary file cannot be removed', async () => {
    const { record, journal, file } = await setup((requested) =>
      requested === '/live.m3u8'
        ? playlistText({ first: 0, count: 3, ended: true })
        : segmentAt(requested),
    );
    await mkdir(file('media/main/probe.tmp'), { recursive: true });
    expect(await record().exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    expect((await journal()).ledger.stored).toBe(3);
  });

  it('stores an initialisation section once, and every segment names it', async () => {
    const { record, journal, file } = await setup((requested) => {
      const map = 'init.mp4';
      const name = (msn: number) => `s${msn}.m4s`;
      if (requested === '/live.m3u8')
        return playlistText({ first: 0, count: 3, ended: true, map, name });
      if (requested === '/init.mp4') return mp4(['ftyp', 'iso6'], ['moov', 'tracks']);
      return mp4(['moof', requested], ['mdat', requested]);
    });
    expect(await record().exited).toMatchObject({ kind: 'ended' });
    const { ledger } = await journal();
    expect(ledger.inits.map((init) => init.file)).toEqual(['media/main/init-0.mp4']);
    expect(existsSync(file('media/main/init-0.mp4'))).toBe(true);
    expect(ledger.segments().map(({ init, container }) => [init, container])).toEqual(
      Array.from({ length: 3 }, () => [0, 'fmp4']),
    );
  });
});

describe('a live stream', () => {
  const live = () => {
    const state = { first: 0, count: 3, broken: undefined as Answer | undefined };
    const answer = (requested: string): Answer | undefined => {
      if (requested === '/live.m3u8') return state.broken ?? playlistText(state);
      return segmentAt(requested);
    };
    return { state, answer };
  };

  it('goes on through playlists that cannot be read, and stops well when asked', async () => {
    const { state, answer } = live();
    const { record, journal } = await setup(answer);
    const recorder = record();
    await until(() => recorder.progress().settled === 3);
    for (const broken of ['<html>', '', { status: 503 }, { status: 404 }] as const) {
      state.broken = broken;
      const { beats } = recorder.progress();
      await until(() => recorder.progress().beats > beats + 2);
    }
    state.broken = undefined;
    state.first = 2;
    await until(() => recorder.progress().settled === 5);
    recorder.stop('over');
    expect(await recorder.exited).toMatchObject({ kind: 'stopped', why: 'duration' });
    const { records, ledger } = await journal();
    expect(records.at(-1)).toMatchObject({ t: 'ended', why: 'duration' });
    expect([ledger.stored, ledger.lost]).toEqual([5, 0]);
  });

  it('names what the very first playlist listed although it is stopped at that moment', async () => {
    const { answer } = live();
    const { record, journal, on } = await setup(answer);
    const recorder = record();
    on.started = () => recorder.stop('over');
    expect(await recorder.exited).toMatchObject({ kind: 'stopped', why: 'duration' });
    const { ledger } = await journal();
    expect(ledger.advertised).toBe(3);
  });

  it('names what could not be fetched when it is stopped', async () => {
    const { answer } = live();
    const { record, journal } = await setup((requested) =>
      requested === '/s2.ts' ? { status: 500 } : answer(requested),
    );
    const recorder = record();
    await until(() => recorder.progress().settled === 2);
    recorder.stop('operator');
    expect(await recorder.exited).toMatchObject({ kind: 'stopped', why: 'stopped' });
    const { ledger } = await journal();
    expect(ledger.gaps().map(({ msn, cause }) => [msn, cause])).toEqual([[2, 'stopped']]);
  });

  it('is continued after a kill: nothing twice, nothing forgotten, half-written files removed', async () => {
    const { state, answer } = live();
    const { record, journal, file, origin, started } = await setup(answer);
    const first = record();
    await until(() => first.progress().settled === 3);
    first.kill('test');
    expect(await first.exited).toMatchObject({ kind: 'crashed', why: 'test' });
    const half = file('media/main/e0000/0000000003.ts');
    const unknown = file('media/main/e0007/0000000001.ts');
    await mkdir(path.dirname(unknown), { recursive: true });
    for (const name of [half, unknown]) await writeFile(name, 'half');
    state.first = 2;
    const fetched = origin.asked.length;
    const second = record({}, 2);
    await until(() => second.progress().settled === 5);
    second.stop('over');
    await second.exited;
    const { ledger, records } = await journal();
    expect([ledger.stored, ledger.lost, ledger.duplicates, ledger.attempts]).toEqual([5, 0, 0, 2]);
    expect(records.filter(({ t }) => t === 'started' || t === 'recording')).toHaveLength(2);
    expect(existsSync(unknown)).toBe(false);
    expect(existsSync(half)).toBe(false);
    // A try of the first attempt that woke up now could not touch what the second one stored.
    const stored = file('media/main/e0000/0000000003-2.ts');
    expect(await readFile(stored)).toEqual(tsSegment(3));
    // Only the segment that joins both attempts is asked for again, to compare its content.
    const again = origin.asked.slice(fetched).filter((asked) => /\/s[012]\.ts/.test(asked));
    expect(again).toEqual(['/s2.ts']);
    expect(started).toEqual([ledger.startedAt, ledger.startedAt]);
  });

  it('ends with evidence when the source is gone for the whole patience window', async () => {
    const { state, answer } = live();
    const { record } = await setup(answer);
    const recorder = record({ patienceMs: 20_000 });
    await until(() => recorder.progress().settled === 3);
    state.broken = { status: 404 };
    const exit = await recorder.exited;
    expect(exit).toMatchObject({ kind: 'ended', why: 'source.vanished' });
    expect(exit.evidence).toMatchObject({ lastPolls: expect.arrayContaining(['http.404']) });
  });

  it('ends as idle when the playlist stands still for the whole patience window', async () => {
    const { answer } = live();
    const { record } = await setup(answer);
    const exit = await record({ patienceMs: 20_000 }).exited;
    expect(exit).toMatchObject({ kind: 'ended', why: 'source.idle' });
  });

  it('asks for everything with the headers of the job', async () => {
    const { answer } = live();
    const { record, origin } = await setup(answer);
    const recorder = record({ headers: { 'x-key': 'secret' } });
    await until(() => recorder.progress().settled === 3);
    recorder.stop('over');
    await recorder.exited;
    expect(new Set(origin.requests.map(({ headers }) => headers['x-key']))).toEqual(
      new Set(['secret']),
    );
  });
});

describe('a master playlist', () => {
  const master = [
    '#EXTM3U',
    '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360',
    'low.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720',
    'high.m3u8',
    '',
  ].join('\n');

  it('is asked once; the wished variant is recorded and named in the journal', async () => {
    const { record, journal, origin } = await setup((requested) => {
      if (requested === '/live.m3u8') return master;
      if (requested === '/high.m3u8') return playlistText({ first: 0, count: 2, ended: true });
      return segmentAt(requested);
    });
    await record({ quality: ['1080p', '720p'] }).exited;
    const { ledger } = await journal();
    expect(ledger.source).toMatchObject({ variant: '720p', bandwidth: 3_000_000, height: 720 });
    expect(ledger.stored).toBe(2);
    expect(origin.asked.filter((asked) => asked === '/live.m3u8')).toHaveLength(1);
  });

  it('fails at once when no wish fits, and lists what there is', async () => {
    const { record } = await setup(() => master);
    const exit = await record({ quality: ['audio'] }).exited;
    expect(exit).toMatchObject({ kind: 'failed', why: 'quality.notFound', retryable: false });
    expect(exit.evidence).toMatchObject({ available: ['360p', '720p'] });
  });
});

describe('a stream that is not there', () => {
  const exitFor = async (answer: Answer | undefined, spec: Partial<JobSpec> = {}) => {
    const { record, journal } = await setup(() => answer);
    const exit = await record(spec).exited;
    return { exit, records: (await journal()).records.map(({ t }) => t) };
  };

  it('fails with the reason, and whether trying again can help', async () => {
    const [missing, down, page, drm] = await Promise.all([
      exitFor(undefined),
      exitFor({ status: 503 }),
      exitFor('<html>login</html>'),
      exitFor(
        playlistText({ first: 0, count: 1 }).replace(
          '#EXTINF',
          '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://k"\n#EXTINF',
        ),
      ),
    ]);
    expect(missing.exit).toMatchObject({
      kind: 'failed',
      why: 'source.notFound',
      retryable: false,
    });
    expect(down.exit).toMatchObject({
      kind: 'failed',
      why: 'source.unavailable',
      retryable: false,
    });
    expect(page.exit).toMatchObject({ kind: 'failed', why: 'playlist.invalid', retryable: false });
    expect(drm.exit).toMatchObject({ kind: 'failed', why: 'source.encrypted', retryable: false });
    expect(missing.records).toEqual(['recording', 'attempt']);
  });

  it('is not given up for a few pages that are no playlist, as proxies send them for a moment', async () => {
    const { record, origin } = await setup((requested) => {
      if (requested !== '/live.m3u8') return segmentAt(requested);
      return origin.asked.length < 6
        ? '<html>bad gateway</html>'
        : playlistText({ first: 0, count: 1, ended: true });
    });
    expect(await record().exited).toMatchObject({ kind: 'ended', why: 'endlist' });
  });

  it('is waited for when the job says so', async () => {
    let tries = 0;
    const { record } = await setup((requested) => {
      if (requested !== '/live.m3u8') return segmentAt(requested);
      tries++;
      return tries < 12 ? undefined : playlistText({ first: 0, count: 1, ended: true });
    });
    expect(await record({ waitMs: 60_000 }).exited).toMatchObject({
      kind: 'ended',
      why: 'endlist',
    });
    expect(tries).toBe(12);
  });

  it('can be stopped and killed while it is waited for', async () => {
    const { record } = await setup(() => undefined);
    const stopped = record({ waitMs: 600_000 });
    stopped.stop('operator');
    expect(await stopped.exited).toMatchObject({ kind: 'stopped', why: 'stopped' });
    const { record: again } = await setup(() => undefined);
    const killed = again({ waitMs: 600_000 });
    killed.kill('SIGKILL');
    expect(await killed.exited).toMatchObject({ kind: 'crashed', why: 'SIGKILL' });
  });
});
