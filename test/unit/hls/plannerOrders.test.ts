import { describe, expect, it } from 'vitest';
import { Planner } from '../../../src/hls/planner/planner.ts';
import type { MediaPlaylist } from '../../../src/hls/playlist/model.ts';

const window = (first: number, count: number): MediaPlaylist => ({
  kind: 'media',
  targetDurationMs: 4_000,
  mediaSequence: first,
  discontinuitySequence: 0,
  endList: false,
  windowMs: count * 4_000,
  segments: Array.from({ length: count }, (_, index) => ({
    msn: first + index,
    url: new URL(`http://origin.test/${first + index}.ts`),
    identity: `/${first + index}.ts`,
    durationMs: 4_000,
    discontinuity: 0,
    gap: false,
  })),
});

const setup = () => {
  const planner = new Planner({ track: 'main', patienceMs: 60_000, now: 0 });
  planner.onPlaylist(planner.onPollSent(0), window(10, 5), 100);
  return planner;
};

const resumedWith = (checksums: readonly string[], idleMs: number) => {
  const tail = checksums.map((checksum, index) => ({ epoch: 0, msn: 10 + index, checksum }));
  const resume = {
    ...{
      epoch: 0,
      home: 0,
      next: 10 + tail.length,
      first: 10,
      openBelow: 0,
      holes: [],
      left: [],
      tail,
    },
    ...{ segmentMs: 4_000, idleMs, settled: tail.length },
  };
  return new Planner({ track: 'main', patienceMs: 60_000, now: 0, resume });
};

describe('polling', () => {
  it('waits as long as the last segment lasts, half of it while nothing is new, and less after a failure', () => {
    const planner = setup();
    expect(planner.plan(100).pollAt).toBe(4_000);
    planner.onUnchanged(planner.onPollSent(4_000), 4_050);
    expect(planner.plan(4_050).pollAt).toBe(6_000);
    planner.onPollFailed(planner.onPollSent(6_000), 'http.503');
    expect(planner.plan(6_050).pollAt).toBe(6_250);
    planner.onPollFailed(planner.onPollSent(6_250), 'http.503');
    expect(planner.plan(6_300).pollAt).toBe(6_750);
  });

  it('asks again while an answer is missing, up to four times at once, and gives up each after 1.5 target durations', () => {
    const planner = setup();
    const polls = [4_000, 8_000, 12_000, 16_000].map((at) => {
      expect(planner.plan(at).pollAt).toBe(at);
      return planner.onPollSent(at);
    });
    expect(planner.plan(20_000).pollAt).toBe(Number.POSITIVE_INFINITY);
    expect(planner.plan(20_000).pollTimeoutMs).toBe(6_000);
    planner.onPlaylist(polls[3] ?? 0, window(14, 5), 20_100);
    expect(planner.plan(20_100).pollAt).toBe(20_100);
  });
});

describe('an origin that is slow to answer', () => {
  it('is waited for longer by one poll while none is answered, and by all once it was slow', () => {
    const planner = setup();
    expect(planner.pollOf(0).timeoutMs).toBe(6_000);
    const first = planner.onPollSent(4_000);
    expect(planner.pollOf(0).timeoutMs).toBe(16_000);
    const patient = planner.onPollSent(8_000);
    expect(planner.pollOf(0).timeoutMs).toBe(6_000);
    planner.onPollFailed(first, 'timeout.exceeded', 10_000);
    expect(planner.pollOf(0).timeoutMs).toBe(6_000);
    planner.onPlaylist(patient, window(11, 5), 13_000);
    expect(planner.pollOf(0).timeoutMs).toBe(10_000);
    planner.onPlaylist(planner.onPollSent(14_000), window(12, 5), 14_050);
    expect(planner.pollOf(0).timeoutMs).toBe(6_000);
  });
});

describe('a recording that goes on and is told to stop at once', () => {
  it('looks once at what it missed, and names what is not had within seconds', () => {
    const planner = resumedWith(['a', 'b', 'c'], 4_000);
    planner.stop('stopped', 0);
    expect(planner.plan(0)).toMatchObject({ polling: true, pollAt: 0 });
    planner.onPlaylist(planner.onPollSent(0), window(12, 3), 100);
    const [probe] = planner.plan(100).fetch;
    expect(probe).toMatchObject({ purpose: 'probe', key: { msn: 12 } });
    planner.onProbed({ checksum: 'c' }, { now: 200, jitter: 0 });
    const plan = planner.plan(200);
    expect(plan.polling).toBe(false);
    expect(plan.fetch.map(({ key }) => key.msn)).toEqual([13, 14]);
    const { records, end } = planner.plan(3_000);
    expect(records).toMatchObject([{ t: 'gap', msn: 13, count: 2, cause: 'stopped' }]);
    expect(end?.why).toBe('stopped');
  });

  it('ends after three seconds when nobody answers', () => {
    const planner = resumedWith(['a'], 4_000);
    planner.stop('stopped', 0);
    planner.onPollFailed(planner.onPollSent(0), 'http.503', 100);
    expect(planner.plan(2_999).end).toBeUndefined();
    expect(planner.plan(3_000).end?.why).toBe('stopped');
  });
});

describe('fetching', () => {
  it('has three segments under way, and a stuck head holds up nobody', () => {
    const planner = setup();
    const keys = planner.plan(100).fetch.map(({ key }) => key);
    expect(keys.map(({ msn }) => msn)).toEqual([10, 11, 12]);
    for (const key of keys.slice(1)) planner.onFetched(key, `${key.msn}`, 200);
    expect(planner.plan(200).fetch.map(({ key }) => key.msn)).toEqual([13, 14]);
  });

  it('gives every try twice the duration of its media, and twice as much after a timeout', () => {
    const planner = setup();
    const [order, ...others] = planner.plan(100).fetch;
    if (order === undefined) throw new Error('nothing was ordered');
    for (const { key } of others) planner.onFetched(key, 'x', 200);
    expect(order.timeoutMs).toBe(8_000);
    planner.onFetchFailed(order.key, { cause: 'timeout', detail: '' }, { now: 8_100, jitter: 0 });
    expect(planner.plan(8_200).fetch.map(({ key }) => key.msn)).not.toContain(10);
    const again = planner.plan(8_250).fetch.find(({ key }) => key.msn === 10);
    expect(again).toMatchObject({ tries: 1, timeoutMs: 16_000 });
  });

  it('tries once more after an outage before a segment that left the window is lost', () => {
    const planner = setup();
    for (const { key } of planner.plan(100).fetch) {
      planner.onFetchFailed(key, { cause: 'network', detail: '' }, { now: 200, jitter: 0 });
    }
    planner.onPlaylist(planner.onPollSent(50_000), window(22, 5), 50_100);
    const plan = planner.plan(50_100);
    expect(plan.fetch.map(({ key }) => key.msn)).toContain(10);
    expect(plan.records).toMatchObject([{ msn: 15, count: 7, cause: 'window.slid' }]);
    const failure = { cause: 'http.404', detail: '' } as const;
    for (const { key } of plan.fetch) {
      planner.onFetchFailed(key, failure, { now: 50_200, jitter: 0 });
    }
    const { records } = planner.plan(50_200);
    expect(records[0]).toMatchObject({ t: 'gap', msn: 10, count: 2, cause: 'http.404' });
  });

  it('fetches on while the journal makes downloaded segments wait, and names none of them', () => {
    const planner = setup();
    const keys = planner.plan(100).fetch.map(({ key }) => key);
    for (const key of keys) planner.onLanded(key, 200);
    expect(planner.plan(200).fetch.map(({ key }) => key.msn)).toEqual([13, 14]);
    planner.onPlaylist(planner.onPollSent(50_000), window(22, 5), 50_100);
    const { fetch, records } = planner.plan(90_000);
    expect(fetch.map(({ key }) => key.msn)).toEqual([22]);
    expect(records).toMatchObject([{ msn: 15, count: 7 }]);
    for (const key of keys) planner.onFetched(key, 'x', 90_100);
    expect(planner.settled).toBe(10);
  });

  it('keeps the disk as the cause when the origin has let go of a segment meanwhile', () => {
    const planner = setup();
    for (const { key } of planner.plan(100).fetch) {
      planner.onFetchFailed(key, { cause: 'disk', detail: 'full' }, { now: 200, jitter: 0 });
    }
    planner.onPlaylist(planner.onPollSent(50_000), window(15, 5), 50_100);
    for (const { key } of planner.plan(50_100).fetch) {
      planner.onFetchFailed(key, { cause: 'http.404', detail: '' }, { now: 50_200, jitter: 0 });
    }
    const [first] = planner.plan(50_200).records;
    expect(first).toMatchObject({ t: 'gap', msn: 10, count: 2, cause: 'disk' });
  });

  it('takes the newest address of a segment that waits, as tokens rotate', () => {
    const planner = setup();
    planner.plan(100);
    const rotated = window(10, 5);
    const segments = rotated.segments.map((segment) => ({
      ...segment,
      url: new URL(`${segment.url.href}?token=2`),
    }));
    planner.onPlaylist(planner.onPollSent(4_000), { ...rotated, segments }, 4_100);
    planner.onFetched({ track: 'main', epoch: 0, msn: 10 }, 'x', 4_200);
    expect(planner.plan(4_200).fetch.map(({ segment }) => segment.url.search)).toEqual([
      '?token=2',
    ]);
  });

  it('takes the newest addresses of key and initialisation section with it', () => {
    const at = (path: string, token: number) =>
      new URL(`http://origin.test/${path}?token=${token}`);
    const listed = (token: number, keyPath = 'key', iv = '0f') => ({
      ...window(10, 1),
      segments: window(10, 1).segments.map((segment) => ({
        ...segment,
        url: at('10.mp4', token),
        key: { method: 'AES-128' as const, url: at(keyPath, token), iv },
        init: { url: at('init.mp4', token) },
      })),
    });
    for (const [rotated, keyToken] of [
      [listed(2), 2],
      [listed(2, 'another'), 1],
    ] as const) {
      const planner = new Planner({ track: 'main', patienceMs: 60_000, now: 0 });
      planner.onPlaylist(planner.onPollSent(0), listed(1), 100);
      const [order] = planner.plan(100).fetch;
      planner.onPlaylist(planner.onPollSent(2_000), rotated, 2_100);
      if (order === undefined) throw new Error('nothing was ordered');
      const refused = { cause: 'http.403', detail: '' } as const;
      planner.onFetchFailed(order.key, refused, { now: 2_100, jitter: 0 });
      const [again] = planner.plan(2_300).fetch;
      expect(again?.segment).toMatchObject({
        url: at('10.mp4', 2),
        key: { url: at('key', keyToken), iv: '0f' },
        init: { url: at('init.mp4', 2) },
      });
    }
  });
});

describe('an answer that is behind and lists what was named as lost', () => {
  const behind = (first: number, count: number) => {
    const planner = setup();
    for (const { key } of planner.plan(100).fetch) planner.onFetched(key, `${key.msn}`, 200);
    for (const { key } of planner.plan(200).fetch) planner.onFetched(key, `${key.msn}`, 300);
    planner.onPlaylist(planner.onPollSent(60_000), window(25, 5), 60_100);
    for (const { key } of planner.plan(60_100).fetch) planner.onFetched(key, 'x', 60_200);
    for (const { key } of planner.plan(60_200).fetch) planner.onFetched(key, 'x', 60_300);
    planner.onPlaylist(planner.onPollSent(60_100), window(first, count), 60_400);
    return planner;
  };

  it('is a chance to have it after all, without counting it as advertised again', () => {
    for (const [first, found] of [
      [22, [22, 23, 24]],
      [18, [18, 19, 20]],
    ] as const) {
      const planner = behind(first, 5);
      expect([planner.advertised, planner.settled]).toEqual([20, first === 22 ? 17 : 15]);
      const { fetch, records } = planner.plan(60_400);
      expect(records).toEqual([]);
      expect(fetch.map(({ key }) => [key.epoch, key.msn])).toEqual(found.map((msn) => [0, msn]));
      for (const { key } of fetch) planner.onFetched(key, 'x', 60_500);
      // The same answer again finds nothing to do for what was asked for once.
      planner.onPlaylist(planner.onPollSent(60_500), window(first, 5), 60_600);
      for (const { key } of planner.plan(60_600).fetch) planner.onFetched(key, 'x', 60_700);
      expect([planner.advertised, planner.settled]).toEqual([20, 20]);
    }
  });

  it('names nothing a second time when that fails', () => {
    const planner = behind(22, 5);
    for (const { key } of planner.plan(60_400).fetch) {
      planner.onFetchFailed(key, { cause: 'http.404', detail: '' }, { now: 60_500, jitter: 0 });
    }
    planner.stop('stopped', 60_600);
    const { records, end } = planner.plan(70_000);
    expect([records, end?.why]).toEqual([[], 'stopped']);
    expect([planner.advertised, planner.settled]).toEqual([20, 20]);
  });
});

describe('stopping', () => {
  it('polls no more, lets what is advertised arrive for three seconds, and names the rest as one gap', () => {
    const planner = setup();
    planner.plan(100);
    planner.stop('stopped', 200);
    const plan = planner.plan(200);
    expect([plan.pollAt, plan.end]).toEqual([Number.POSITIVE_INFINITY, undefined]);
    planner.onFetched({ track: 'main', epoch: 0, msn: 10 }, 'x', 300);
    const last = planner.plan(3_200);
    expect(last.end?.why).toBe('stopped');
    expect(last.records).toMatchObject([
      { t: 'gap', msn: 11, count: 4, cause: 'stopped', durationMs: 16_000 },
    ]);
    expect([planner.advertised, planner.settled]).toEqual([5, 5]);
  });
});

describe('a resumed recording', () => {
  it('does not take a programme that plays in a loop for numbers that moved', () => {
    const planner = resumedWith(['a', 'b', 'c', 'a', 'b', 'c'], 20_000);
    planner.onPlaylist(planner.onPollSent(0), window(18, 5), 100);
    planner.plan(100);
    planner.onProbed({ checksum: 'c' }, { now: 200, jitter: 0 });
    const { records, fetch } = planner.plan(200);
    expect(records).toMatchObject([{ t: 'gap', msn: 16, count: 2, cause: 'window.slid' }]);
    expect(fetch.map(({ key }) => key.msn)).toEqual([18, 19, 20]);
  });
});

describe('an edge that is behind a resumed recording', () => {
  it('opens no epoch by listing what was stored before and is gone', () => {
    const planner = resumedWith(['ten', 'eleven'], 20_000);
    const gone = { cause: 'http.404', detail: '' } as const;
    planner.onPlaylist(planner.onPollSent(0), window(15, 3), 100);
    planner.plan(100);
    planner.onProbed({ checksum: 'fifteen' }, { now: 200, jitter: 0 });
    expect(planner.plan(200).records).toMatchObject([{ t: 'gap', msn: 12, count: 3 }]);
    planner.onPlaylist(planner.onPollSent(300), window(11, 3), 400);
    for (const now of [400, 1_000]) {
      expect(planner.plan(now).fetch.map(({ purpose }) => purpose)).toEqual(['probe']);
      planner.onProbed(gone, { now: now + 100, jitter: 0 });
    }
    const { records, fetch } = planner.plan(1_200);
    expect(records).toEqual([]);
    expect(fetch.map(({ key }) => [key.epoch, key.msn])).toEqual([]);
  });
});

describe('stopping a resumed recording', () => {
  const resumed = () => resumedWith(['ten'], 1_000);

  it('waits for the answer that tells what the first playlist means, and names what it listed', () => {
    const planner = resumed();
    planner.onPlaylist(planner.onPollSent(0), window(10, 5), 100);
    expect(planner.plan(100).fetch.map(({ purpose }) => purpose)).toEqual(['probe']);
    planner.stop('duration', 200);
    expect(planner.plan(200).end).toBeUndefined();
    planner.onProbed({ checksum: 'ten' }, { now: 300, jitter: 0 });
    expect(planner.plan(300).fetch.map(({ key }) => key.msn)).toEqual([11, 12, 13]);
    const last = planner.plan(3_200);
    expect(last.end?.why).toBe('duration');
    expect(last.records).toMatchObject([{ t: 'gap', msn: 11, count: 4, cause: 'stopped' }]);
  });

  it('lets the numbers decide when that answer does not come in time', () => {
    const planner = resumed();
    planner.onPlaylist(planner.onPollSent(0), window(10, 5), 100);
    planner.plan(100);
    planner.stop('duration', 200);
    const last = planner.plan(3_200);
    expect(last.end?.why).toBe('duration');
    expect(last.fetch).toEqual([]);
    expect(last.records).toMatchObject([{ t: 'gap', msn: 11, count: 4, cause: 'stopped' }]);
    expect(planner.settled).toBe(planner.advertised);
  });
});
