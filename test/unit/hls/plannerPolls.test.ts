import { describe, expect, it } from 'vitest';
import { Planner } from '../../../src/hls/planner/planner.ts';
import type { MediaPlaylist } from '../../../src/hls/playlist/model.ts';

const window = (
  first: number,
  { count = 5, blocks = false, shift = 0, name = '' } = {},
): MediaPlaylist => ({
  kind: 'media',
  targetDurationMs: 4_000,
  mediaSequence: first + shift,
  discontinuitySequence: 0,
  endList: false,
  windowMs: count * 4_000,
  segments: Array.from({ length: count }, (_, index) => ({
    msn: first + shift + index,
    url: new URL(`http://origin.test/${name}${first + index}.ts`),
    identity: `/${name}${first + index}.ts`,
    durationMs: 4_000,
    discontinuity: 0,
    wallClock: (first + index) * 4_000,
    gap: false,
  })),
  ...(blocks && { serverControl: { canBlockReload: true } }),
});

const setup = (options: Parameters<typeof window>[1] = {}) => {
  const planner = new Planner({ track: 'main', patienceMs: 60_000, now: 0 });
  const hear = (source: number, playlist: MediaPlaylist, now: number) =>
    planner.onPlaylist(planner.onPollSent(now, source), playlist, now);
  hear(0, window(10, options), 0);
  return { planner, hear };
};

const failure = { cause: 'http.404', detail: '' } as const;

describe('an origin that holds its answers back', () => {
  it('is asked for the next number a quarter of a second after each new answer', () => {
    const { planner } = setup({ blocks: true });
    expect(planner.plan(0)).toMatchObject({ pollAt: 250, blocking: true, pollTimeoutMs: 18_000 });
    expect(planner.pollOf(0).blockUntilMsn).toBe(15);
    const poll = planner.onPollSent(250);
    planner.onPlaylist(poll, window(11, { blocks: true }), 4_200);
    expect(planner.plan(4_200).pollAt).toBe(4_450);
    expect(planner.pollOf(0).blockUntilMsn).toBe(16);
  });

  it('is not asked again while it holds an answer, unless that takes too long to be a segment', () => {
    const { planner } = setup({ blocks: true });
    planner.onPollSent(250);
    const plan = planner.plan(300);
    // A plain question then: whether it still answers at all.
    expect([plan.pollAt, plan.blocking, plan.pollTimeoutMs]).toEqual([6_250, false, 16_000]);
    expect(planner.mayPoll(0)).toBe(false);
    planner.onPollSent(6_250);
    expect(planner.plan(6_300).pollAt).toBe(12_250);
  });

  it('is asked at the usual pace when it answers without anything new, or fails', () => {
    const { planner } = setup({ blocks: true });
    planner.onUnchanged(planner.onPollSent(250), 300);
    expect(planner.plan(300).pollAt).toBe(2_250);
    planner.onPollFailed(planner.onPollSent(2_250), 'http.503', 2_300);
    expect(planner.plan(2_300)).toMatchObject({ pollAt: 2_500, blocking: false });
  });

  it('is not told from others by a playlist that does not say so', () => {
    const { planner } = setup();
    expect(planner.plan(0)).toMatchObject({ pollAt: 4_000, blocking: false, pollTimeoutMs: 6_000 });
  });
});

describe('several sources', () => {
  it('are polled each at its own pace, up to four times at once', () => {
    const { planner, hear } = setup();
    planner.plan(500);
    expect([planner.mayPoll(0), planner.mayPoll(1)]).toEqual([false, true]);
    hear(1, window(10, { shift: 90 }), 1_000);
    expect(planner.plan(1_000).pollAt).toBe(4_000);
    planner.onUnchanged(planner.onPollSent(4_000, 0), 4_050);
    expect(planner.plan(4_050).pollAt).toBe(5_000);
    for (const at of [5_000, 9_000, 13_000, 17_000]) planner.onPollSent(at, 1);
    planner.plan(30_000);
    expect([planner.mayPoll(0), planner.mayPoll(1)]).toEqual([true, false]);
  });

  it('of which one is left alone do not keep the other from being waited for', () => {
    const { planner, hear } = setup();
    hear(1, window(10, { shift: 90 }), 1_000);
    for (let now = 9_000; now < 60_000; now += 4_000) {
      hear(1, window(10 + now / 4_000, { shift: 90 }), now);
      for (let turn = 0; turn < 4; turn++) planner.plan(now);
    }
    expect(planner.plan(57_500).pollAt).toBe(61_000);
  });

  it('say in their own numbers where their next playlist may be cut', () => {
    const { planner, hear } = setup({ count: 300 });
    for (let turn = 0; turn < 200; turn++) {
      for (const { key } of planner.plan(0).fetch) planner.onFetched(key, `${key.msn}`, 0);
    }
    hear(1, window(10, { count: 300, shift: 1_000, name: 'b' }), 100);
    const waiting = planner.plan(100).fetch[0]?.key.msn ?? 310;
    const { fromMsn, anchor } = planner.cut(0) ?? {};
    expect([fromMsn, anchor]).toEqual([Math.min(246, waiting), { msn: 309, identity: '/309.ts' }]);
    expect(planner.cut(1)).toEqual({
      fromMsn: Math.min(246, waiting) + 1_000,
      anchor: { msn: 1_309, identity: '/b309.ts' },
    });
  });

  it('are addresses of the same segment: the leading one first, after a failure another', () => {
    const { planner, hear } = setup();
    hear(1, window(10, { shift: 90, name: 'b' }), 100);
    const [order] = planner.plan(100).fetch;
    if (order === undefined) throw new Error('nothing was ordered');
    expect([order.source, order.segment.msn]).toEqual([0, 10]);
    expect(order.mirrors).toMatchObject([
      { source: 1, segment: { msn: 100, identity: '/b10.ts' } },
    ]);
    planner.onFetchFailed(order.key, failure, { now: 200, jitter: 0 });
    const again = planner.plan(400).fetch.find(({ key }) => key.msn === 10);
    expect(again).toMatchObject({ source: 1, mirrors: [{ source: 0, segment: { msn: 10 } }] });
  });

  it('wait for each other with what left one playlist unseen, and name it when none has it', () => {
    for (const isListed of [true, false]) {
      const { planner, hear } = setup();
      for (const { key } of planner.plan(0).fetch) planner.onFetched(key, `${key.msn}`, 0);
      for (const { key } of planner.plan(0).fetch) planner.onFetched(key, `${key.msn}`, 0);
      hear(1, window(10, { shift: 90, name: 'b' }), 8_000);
      // The first one skips 15 to 17 while no poll of it was answered.
      hear(0, window(18), 12_000);
      expect(planner.plan(12_000).records.filter(({ t }) => t === 'gap')).toEqual([]);
      hear(1, window(isListed ? 14 : 18, { shift: 90, name: 'b' }), 14_000);
      const numbers = new Set<number>();
      for (let now = 14_000; now < 70_000; now += 4_000) {
        hear(0, window(18), now);
        const { fetch, records } = planner.plan(now);
        for (const { key, source } of fetch) {
          if (key.msn < 18) numbers.add(key.msn + source / 10);
          planner.onFetched(key, `${key.msn}`, now);
        }
        for (const record of records) if (record.t === 'gap') numbers.add(-record.count);
      }
      expect([...numbers]).toEqual(isListed ? [15.1, 16.1, 17.1] : [-3]);
      expect(planner.settled).toBe(planner.advertised);
    }
  });

  it('do not fail while one of them answers', () => {
    const { planner, hear } = setup();
    hear(1, window(10, { shift: 90, name: 'b' }), 100);
    for (let now = 1_000; now < 59_000; now += 1_000) {
      planner.onPollFailed(planner.onPollSent(now, 0), 'http.503', now);
    }
    hear(1, window(11, { shift: 90, name: 'b' }), 59_000);
    expect(planner.plan(61_000).end).toBeUndefined();
    expect(planner.isGone(0, 61_000)).toBe(true);
    expect(planner.isGone(1, 61_000)).toBe(false);
  });
});
