import { describe, expect, it } from 'vitest';
import {
  afterExit,
  type KnownSource,
  type TryOutcome,
  type WaitState,
} from '../../../src/programs/afterExit.ts';
import type { ExitExplanation } from '../../../src/programs/recorderPlugin.ts';

const LIVE: KnownSource = { isPage: false, isFile: false };
const FILE: KnownSource = { isPage: false, isFile: true };
/** All in one attempt, unless it is said. */
type Wait = Omit<WaitState, 'triedMs'> & Partial<WaitState>;
const RECORDED: Wait = {
  isRecorded: true,
  silentMs: 0,
  fruitless: 0,
  waitMs: 0,
  patienceMs: 30_000,
};
const AWAITED: Wait = { ...RECORDED, isRecorded: false };

const exited = (
  explanation: Partial<ExitExplanation>,
  facts: Partial<TryOutcome> = {},
): TryOutcome => ({
  explanation: { fault: 'none', why: 'exit.0', retry: true, sentence: 'so', ...explanation },
  exitCode: 0,
  hadMedia: true,
  mediaMs: 10_000,
  ...facts,
});
const away = (why: ExitExplanation['why'] = 'source.unavailable', retry = true): TryOutcome =>
  exited({ fault: 'source', why, retry }, { exitCode: 1, hadMedia: false, mediaMs: 0 });

const next = (outcome: TryOutcome, wait: Wait, source = LIVE) =>
  afterExit(outcome, { source, wait: { triedMs: wait.silentMs, ...wait }, chance: 0.5 });

describe('after the first media', () => {
  it('goes on after a program that ended well, since nobody said that the source is over', () => {
    expect(next(exited({}), RECORDED)).toEqual({ step: 'again', pauseMs: 200 });
  });

  it('calls a source idle that answers for the whole patience and has nothing new', () => {
    expect(next(exited({}), { ...RECORDED, silentMs: 29_999 })).toMatchObject({ step: 'again' });
    const end = next(exited({}), { ...RECORDED, silentMs: 30_000 });
    expect(end).toEqual({ step: 'end', why: 'source.idle' });
  });

  it('calls a source vanished that fails for the whole patience, whatever it says', () => {
    const over = { ...RECORDED, silentMs: 30_000 };
    for (const why of ['source.unavailable', 'source.notFound', 'source.refused'] as const) {
      expect(next(away(why, false), RECORDED)).toMatchObject({ step: 'again' });
      expect(next(away(why, false), over)).toEqual({ step: 'end', why: 'source.vanished' });
    }
  });

  it('counts the silence of earlier attempts, and tries a little in each', () => {
    const over = { ...RECORDED, silentMs: 60_000 };
    expect(next(away(), { ...over, triedMs: 9_999 })).toMatchObject({ step: 'again' });
    const end = { step: 'end', why: 'source.vanished' };
    expect(next(away(), { ...over, triedMs: 10_000 })).toEqual(end);
    expect(next(away(), { ...over, patienceMs: 2_000, triedMs: 2_000 })).toEqual(end);
  });

  it('believes a page that says for the whole patience that nothing is live', () => {
    const over = { ...RECORDED, silentMs: 30_000 };
    expect(next(away('source.notLive'), RECORDED)).toMatchObject({ step: 'again' });
    expect(next(away('source.notLive'), over)).toEqual({ step: 'end', why: 'source.ended' });
  });

  it('leaves a tool that failed to its Big Dog', () => {
    const crash = exited({ fault: 'tool', why: 'signal.SIGSEGV' }, { exitCode: undefined });
    expect(next(crash, RECORDED)).toEqual({ step: 'fall', kind: 'crashed', retryable: true });
    const machine = exited({ fault: 'machine', why: 'disk.full' }, { exitCode: 1 });
    expect(next(machine, RECORDED)).toEqual({ step: 'fall', kind: 'crashed', retryable: true });
  });

  it('gives up where only somebody else can help', () => {
    const failed = { step: 'fall', kind: 'failed', retryable: false };
    expect(next(exited({ fault: 'caller', why: 'source.login' }), RECORDED)).toEqual(failed);
    expect(next(exited({ fault: 'tool', why: 'exit.2', retry: false }), RECORDED)).toEqual(failed);
    expect(next(away('source.encrypted', false), RECORDED)).toEqual(failed);
  });
});

describe('before the first media', () => {
  it('waits for a stream as long as the job asked for', () => {
    const waiting = { ...AWAITED, waitMs: 60_000 };
    expect(next(away(), { ...waiting, silentMs: 59_999 })).toMatchObject({ step: 'again' });
    expect(next(away(), { ...waiting, silentMs: 60_000 })).toEqual({ step: 'refuse' });
    expect(next(away('source.notLive'), { ...waiting, silentMs: 59_999 })).toMatchObject({
      step: 'again',
    });
  });

  it('doubts the first answers although the job waits for nothing', () => {
    expect(next(away(), { ...AWAITED, silentMs: 9_999 })).toMatchObject({ step: 'again' });
    expect(next(away(), { ...AWAITED, silentMs: 10_000 })).toEqual({ step: 'refuse' });
    const notFound = away('source.notFound', false);
    expect(next(notFound, { ...AWAITED, silentMs: 2_999 })).toMatchObject({ step: 'again' });
    expect(next(notFound, { ...AWAITED, silentMs: 3_000 })).toEqual({ step: 'refuse' });
  });

  it('does not wait for what no time will change', () => {
    const waiting = { ...AWAITED, waitMs: 60_000 };
    expect(next(away('source.encrypted', false), waiting)).toEqual({ step: 'refuse' });
    expect(next(exited({ fault: 'caller', why: 'source.login' }), waiting)).toEqual({
      step: 'refuse',
    });
    expect(next(away('source.notLive'), AWAITED)).toEqual({ step: 'refuse' });
  });

  it('takes a program that ended well without any media for a source that is not there', () => {
    const empty = exited({}, { hadMedia: false, mediaMs: 0 });
    expect(next(empty, { ...AWAITED, silentMs: 9_999 })).toMatchObject({ step: 'again' });
    expect(next(empty, { ...AWAITED, silentMs: 10_000 })).toEqual({ step: 'refuse' });
  });
});

describe('a file', () => {
  const ended = { step: 'end', why: 'source.ended' };

  it('is over when its last media came, within what lengths differ', () => {
    const source = { ...FILE, durationMs: 60_000 };
    expect(next(exited({}, { mediaMs: 58_000 }), RECORDED, source)).toEqual(ended);
    expect(next(exited({}, { mediaMs: 57_999 }), RECORDED, source)).toMatchObject({
      step: 'again',
    });
    const long = { ...FILE, durationMs: 3_600_000 };
    expect(next(exited({}, { mediaMs: 3_564_000 }), RECORDED, long)).toEqual(ended);
  });

  it('is over also when its program failed at the very end', () => {
    const crash = exited({ fault: 'tool', why: 'exit.1' }, { exitCode: 1, mediaMs: 60_000 });
    expect(next(crash, RECORDED, { ...FILE, durationMs: 60_000 })).toEqual(ended);
  });

  it('is believed without a length when its program ended well', () => {
    expect(next(exited({}), RECORDED, FILE)).toEqual(ended);
    expect(next(exited({}), RECORDED, { ...LIVE, isLive: false })).toEqual(ended);
    expect(next(away(), RECORDED, FILE)).toMatchObject({ step: 'again' });
  });

  it('is none while it is live, whatever length it is said to have', () => {
    const source = { ...LIVE, isLive: true, durationMs: 5_000 };
    expect(next(exited({}), RECORDED, source)).toMatchObject({ step: 'again' });
  });
});

describe('the pause', () => {
  const pauseMs = (wait: Wait, chance: number, source = LIVE) => {
    const step = afterExit(away(), { source, wait: { ...wait, triedMs: 0 }, chance });
    return step.step === 'again' ? step.pauseMs : Number.NaN;
  };

  it('grows with each fruitless try up to its bound, and is spread by chance', () => {
    const most = [0, 1, 2, 3, 4, 50].map((fruitless) => pauseMs({ ...RECORDED, fruitless }, 1));
    expect(most).toEqual([200, 400, 800, 1_600, 2_000, 2_000]);
    expect(pauseMs({ ...RECORDED, fruitless: 50 }, 0)).toBe(200);
  });

  it('is longer while a stream is awaited, and longest for a page', () => {
    const waiting = { ...AWAITED, fruitless: 50 };
    expect(pauseMs(waiting, 1)).toBe(5_000);
    expect(pauseMs(waiting, 1, { ...LIVE, isPage: true })).toBe(15_000);
  });
});
