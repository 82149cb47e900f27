import { describe, expect, it } from 'vitest';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import {
  type Choices,
  chosenRecording,
  type ProgramChoice,
  type Resolve,
  recorderName,
} from '../../../src/hosts/host/chosenRecording.ts';
import type { ResolvedLink } from '../../../src/intake/link.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type {
  MakeRecording,
  Recording,
  RecordingOptions,
} from '../../../src/recording/recorder.ts';
import { SimClock } from '../../simulation/simClock.ts';

const PAGE = 'https://host/show';
const DIRECT: ResolvedLink = {
  ...{ kind: 'hls', url: new URL('https://cdn/live.m3u8'), headers: {}, formats: [] },
};
const HLS: ResolvedLink = { ...DIRECT, resolver: 'yt-dlp 1' };
const DASH: ResolvedLink = { ...HLS, kind: 'dash', url: new URL('https://cdn/live.mpd') };

const refusal = (
  code: KennelError['code'],
  { retryable = true, resolver }: { retryable?: boolean; resolver?: string } = {},
) =>
  new KennelError(code, `it is ${code}`, { retryable, ...(resolver && { details: { resolver } }) });

interface SetUp {
  readonly spec?: Partial<JobSpec>;
  readonly resolve?: Resolve;
  /** Who has begun it, in an earlier attempt. */
  readonly begunBy?: string;
}

/** What was chosen, and how long it took on the clock of the test. */
function choose({ spec, resolve = async () => HLS, begunBy }: SetUp = {}) {
  const sim = new SimClock();
  const chosen: { who: string; choice?: ProgramChoice; resolve?: Resolve | undefined }[] = [];
  const asked: number[] = [];
  const heard: string[] = [];
  const waited: string[] = [];
  const recording: Recording = {
    progress: { beats: 7, bytes: 70, advertised: 3, settled: 2 },
    run: async () => ({ why: 'endlist', evidence: {} }),
    stop: (why) => void heard.push(`stop ${why}`),
    abort: (reason) => void heard.push(`abort ${String(reason)}`),
  };
  const make: MakeRecording = () => recording;
  const choices: Choices = {
    native: (again) => {
      chosen.push({ who: 'native', resolve: again });
      return make;
    },
    program: async (choice) => {
      chosen.push({ who: choice.name ?? 'any program', choice });
      return make;
    },
    readsPages: async (name) => name === 'yt-dlp',
    resolve: (link, signal) => {
      asked.push(sim.now);
      return resolve(link, signal);
    },
  };
  const clock: Clock = {
    now: () => sim.now,
    elapsed: () => sim.now,
    setTimeout: sim.setTimeout,
    clearTimeout: sim.clearTimeout,
  };
  const ledger = new Ledger();
  if (begunBy !== undefined)
    ledger.apply({ t: 'started', at: 0, source: { ...(begunBy && { recorder: begunBy }) } });
  const options: RecordingOptions = {
    job: {
      id: 'job',
      attempt: 1,
      spec: {
        ...{ url: PAGE, quality: [], waitMs: 0, patienceMs: 60_000 },
        ...{ output: '/tmp/', keepSegments: true, ...spec },
      },
    },
    ...{ directory: '/nowhere', clock, random: () => 0.5, onStarted: () => undefined, ledger },
    log: (_message, { code }) => void (code !== undefined && waited.push(String(code))),
    // Nothing is written before somebody was chosen.
    writer: undefined as unknown as RecordingOptions['writer'],
  };
  const one = chosenRecording(() => choices)(options);
  return {
    ...{ one, chosen, asked, heard, waited, sim },
    /** Lets all the time pass that it takes. */
    async ends() {
      const life = { isOver: false };
      const ended = one.run().finally(() => {
        life.isOver = true;
      });
      ended.catch(() => undefined);
      for (let turn = 0; turn < 10_000; turn++) {
        await settle();
        if (life.isOver) break;
        sim.step();
      }
      return await ended;
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('who records', () => {
  it.each([
    { what: 'a page with HLS behind it', spec: {}, found: HLS, who: 'native' },
    { what: 'a page with anything else', spec: {}, found: DASH, who: 'any program' },
    { what: 'HLS, by its address', spec: { url: 'https://cdn/a.m3u8' }, who: 'native' },
    { what: 'whoever reads pages', spec: { recorder: 'yt-dlp' }, who: 'yt-dlp' },
    { what: 'whoever does not', spec: { recorder: 'ffmpeg' }, found: HLS, who: 'ffmpeg' },
    { what: 'native, which was asked for', spec: { recorder: 'native' }, who: 'native' },
    { what: 'native, which had begun', spec: {}, begunBy: '', who: 'native' },
    { what: 'the program that had begun', spec: {}, begunBy: 'yt-dlp', found: HLS, who: 'yt-dlp' },
  ])('is chosen: $what', async ({ spec, found = HLS, begunBy, who }) => {
    const set = choose({
      spec,
      resolve: async (link) => (link.href === PAGE ? found : { ...DIRECT, url: link }),
      ...(begunBy !== undefined && { begunBy }),
    });
    expect(await set.ends()).toEqual({ why: 'endlist', evidence: {} });
    expect(set.chosen.map((one) => one.who)).toEqual([who]);
  });

  it('gives a page to whoever reads pages itself, unread', async () => {
    const set = choose({ spec: { recorder: 'yt-dlp' } });
    await set.ends();
    expect(set.asked).toEqual([]);
    expect(set.chosen[0]?.choice?.link).toMatchObject({ kind: 'page', url: new URL(PAGE) });
  });

  it('is given what is known of a page, and asks anew after that', async () => {
    const set = choose({ resolve: async () => DASH });
    await set.ends();
    const { signal } = new AbortController();
    const again = set.chosen[0]?.choice?.resolve;
    expect(await again?.(signal)).toBe(DASH);
    expect(set.asked).toHaveLength(1);
    await again?.(signal);
    expect(set.asked).toHaveLength(2);
  });

  it('is named for the journal as far as it is known', () => {
    expect(recorderName({ url: PAGE })).toBe('auto');
    expect(recorderName({ url: 'https://host/a.m3u8' })).toBe('native');
    expect(recorderName({ url: PAGE, recorder: 'ffmpeg' })).toBe('ffmpeg');
  });
});

/** Refuses so, one after the other, and then answers. */
function thereAfter(refusals: readonly KennelError[]): Resolve {
  const left = [...refusals];
  return async () => {
    const first = left.shift();
    if (first !== undefined) throw first;
    return HLS;
  };
}

describe('a link behind which nothing is yet', () => {
  const notLive = refusal('source.notLive', { resolver: 'yt-dlp 1' });

  it('is asked again as long as the job may wait, less and less often', async () => {
    const set = choose({ spec: { waitMs: 600_000 }, resolve: () => Promise.reject(notLive) });
    await expect(set.ends()).rejects.toBe(notLive);
    expect(set.sim.now).toBe(600_000);
    expect(set.asked.length).toBeLessThan(15);
    expect(set.waited).toEqual(['source.notLive']);
  });

  it('is recorded once it is there', async () => {
    const set = choose({
      spec: { waitMs: 600_000 },
      resolve: thereAfter([notLive, notLive]),
    });
    await set.ends();
    expect(set.chosen.map(({ who }) => who)).toEqual(['native']);
  });

  it('is waited for where it is a page that shows nothing yet, and where nobody waits is refused at once', async () => {
    const empty = refusal('source.unsupported', { retryable: false, resolver: 'yt-dlp 1' });
    const set = choose({
      spec: { waitMs: 600_000 },
      resolve: thereAfter([empty, empty]),
    });
    await set.ends();
    expect([set.asked.length, set.waited]).toEqual([3, ['source.unsupported']]);
    const hasty = choose({ resolve: () => Promise.reject(empty) });
    await expect(hasty.ends()).rejects.toBe(empty);
    expect(hasty.asked).toHaveLength(1);
  });

  it('is refused at once where nobody waits, or time changes nothing', async () => {
    const hasty = choose({ resolve: () => Promise.reject(notLive) });
    await expect(hasty.ends()).rejects.toBe(notLive);
    expect(hasty.asked).toEqual([0]);
    const login = refusal('source.login', { retryable: false });
    const futile = choose({ spec: { waitMs: 60_000 }, resolve: () => Promise.reject(login) });
    await expect(futile.ends()).rejects.toBe(login);
    expect(futile.asked).toEqual([0]);
  });

  it.each([
    ['source.notFound', 3_000],
    ['source.refused', 3_000],
    ['source.unavailable', 10_000],
    ['tool.failed', 30_000],
  ] as const)('is doubted before it is refused: %s for %i ms', async (code, doubtMs) => {
    const refused = refusal(code, { retryable: code !== 'source.refused' });
    const set = choose({ resolve: () => Promise.reject(refused) });
    await expect(set.ends()).rejects.toBe(refused);
    expect(set.sim.now).toBe(doubtMs);
    expect(set.asked.length).toBeGreaterThan(2);
  });
});

describe('a recording that had begun', () => {
  it('ends when its source stays away for the patience, and does not fail', async () => {
    const away = refusal('source.unavailable');
    const set = choose({ begunBy: 'ffmpeg', resolve: () => Promise.reject(away) });
    expect(await set.ends()).toMatchObject({
      why: 'source.vanished',
      evidence: { code: 'source.unavailable' },
    });
    expect(set.sim.now).toBe(60_000);
    const over = refusal('source.notLive');
    const ended = choose({ begunBy: 'ffmpeg', resolve: () => Promise.reject(over) });
    expect(await ended.ends()).toMatchObject({ why: 'source.ended' });
  });

  it('fails when a person has to do something', async () => {
    const login = refusal('source.login', { retryable: false });
    const set = choose({ begunBy: 'ffmpeg', resolve: () => Promise.reject(login) });
    await expect(set.ends()).rejects.toBe(login);
  });

  it('is left to the native engine although its page is away', async () => {
    const set = choose({ begunBy: '', resolve: () => Promise.reject(refusal('source.notFound')) });
    await set.ends();
    expect(set.chosen.map(({ who }) => who)).toEqual(['native']);
    expect(set.asked).toEqual([]);
    expect(set.chosen[0]?.resolve).toBeDefined();
  });
});

it('leaves to its Big Dog what this machine cannot do for the moment, and tells what it never can', async () => {
  const busy = refusal('sandbox.unavailable');
  const passing = choose({ resolve: () => Promise.reject(busy) });
  await expect(passing.ends()).rejects.toMatchObject({
    exit: { kind: 'crashed', why: 'sandbox.unavailable', retryable: true },
  });
  const never = refusal('sandbox.unavailable', { retryable: false });
  await expect(choose({ resolve: () => Promise.reject(never) }).ends()).rejects.toBe(never);
});

describe('while it is chosen', () => {
  /** Somebody who needs a minute, and lets go when told to. */
  const slow = (set: { sim: SimClock }) => (_link: URL, signal: AbortSignal) =>
    new Promise<ResolvedLink>((resolve, reject) => {
      set.sim.setTimeout(() => resolve(HLS), 60_000);
      signal.addEventListener('abort', () => reject(new Error('let go')));
    });
  const begin = () => {
    const holder: { sim: SimClock } = { sim: new SimClock() };
    const set = choose({ resolve: (link, signal) => slow(holder)(link, signal) });
    holder.sim = set.sim;
    return set;
  };

  it('beats', async () => {
    const set = begin();
    const ended = set.ends();
    await settle();
    expect(set.one.progress.beats).toBeGreaterThan(0);
    await ended;
    // One for each second, and those of whoever records.
    expect(set.one.progress).toMatchObject({ beats: 60 + 7, bytes: 70, advertised: 3, settled: 2 });
  });

  it('stops, and lets go', async () => {
    const stopped = begin();
    const ended = stopped.one.run();
    await settle();
    stopped.one.stop('stopped');
    expect(await ended).toEqual({ why: 'stopped', evidence: {} });
    const killed = begin();
    const fell = killed.one.run();
    await settle();
    killed.one.abort('killed');
    await expect(fell).rejects.toBe('killed');
    expect([...stopped.chosen, ...killed.chosen]).toEqual([]);
  });

  it('passes on what it is told later', async () => {
    const set = begin();
    await set.ends();
    set.one.stop('duration');
    set.one.abort('killed');
    expect(set.heard).toEqual(['stop duration', 'abort killed']);
  });
});
