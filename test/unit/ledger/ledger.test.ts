import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ledger, type LedgerOptions } from '../../../src/ledger/ledger.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { SegmentLost, SegmentStored } from '../../../src/ledger/record.ts';

function setup(options?: LedgerOptions) {
  const ledger = new Ledger(options);
  return {
    ledger,
    store: (...segments: Partial<SegmentStored>[]) => {
      for (const segment of segments) ledger.apply(stored(segment));
    },
    lose: (gap: Partial<SegmentLost>) => ledger.apply(lost(gap)),
    msns: () => ledger.segments().map(({ msn }) => msn),
    named: () => ledger.gaps().map(({ msn, count }) => [msn, count]),
  };
}

const stored = (segment: Partial<SegmentStored>): SegmentStored => ({
  t: 'segment',
  track: 'main',
  epoch: 0,
  msn: 0,
  at: 1,
  durationMs: 2000,
  bytes: 188,
  checksum: 'a'.repeat(64),
  file: 'main/0.ts',
  container: 'ts',
  discontinuity: 0,
  ...segment,
});

const lost = (gap: Partial<SegmentLost>): SegmentLost => ({
  t: 'gap',
  track: 'main',
  epoch: 0,
  msn: 0,
  at: 1,
  count: 1,
  cause: 'window.slid',
  detail: '',
  durationMs: 2000,
  ...gap,
});

describe('what a ledger counts', () => {
  test('segments and gaps together are what was advertised', () => {
    const { ledger, store, lose } = setup();
    store({ msn: 1 }, { msn: 2, bytes: 376 });
    lose({ msn: 3, count: 4 });
    expect(ledger).toMatchObject({
      advertised: 6,
      stored: 2,
      lost: 4,
      bytes: 564,
      durationMs: 4000,
    });
  });

  test('a second line for a stored segment is a duplicate and the first one stands', () => {
    const { ledger, store } = setup();
    store({ msn: 1, file: 'first.ts' }, { msn: 1, file: 'second.ts' });
    expect(ledger).toMatchObject({ stored: 1, duplicates: 1, bytes: 188 });
    expect(ledger.segments()[0]?.file).toBe('first.ts');
  });

  test('a segment that arrives after all heals the gap that named it and leaves its neighbours named', () => {
    const { ledger, store, lose, named } = setup();
    lose({ msn: 10, count: 5, durationMs: 10_000 });
    store({ msn: 12 });
    expect(named()).toEqual([
      [10, 2],
      [13, 2],
    ]);
    expect(ledger.gaps().map(({ durationMs }) => durationMs)).toEqual([4000, 4000]);
    expect(ledger).toMatchObject({ advertised: 5, stored: 1, lost: 4, duplicates: 0 });
  });

  test('a gap line takes back nothing that is stored and names nothing twice', () => {
    const { ledger, store, lose, named } = setup();
    store({ msn: 2 });
    lose({ msn: 1, count: 3 });
    lose({ msn: 0, count: 5 });
    expect(named()).toEqual([
      [0, 1],
      [1, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(ledger).toMatchObject({ advertised: 5, stored: 1, lost: 4 });
  });

  test('the media time of several renditions is that of the longest', () => {
    const { ledger, store } = setup();
    store({ msn: 1 }, { msn: 2 }, { msn: 1, track: 'audio', durationMs: 1900 });
    expect(ledger.durationMs).toBe(4000);
  });
});

describe('what a recorder asks a ledger', () => {
  test('a key is settled when it is stored or named, in its own epoch and track only', () => {
    const { ledger, store, lose } = setup();
    store({ msn: 7, epoch: 1 });
    lose({ msn: 8, epoch: 1 });
    const has = (key: object) => ledger.has({ track: 'main', epoch: 1, msn: 7, ...key });
    expect([
      has({}),
      has({ msn: 8 }),
      has({ msn: 9 }),
      has({ epoch: 0 }),
      has({ track: 'audio' }),
    ]).toEqual([true, true, false, false, false]);
  });

  test('the next number is one past the highest settled one of the last epoch', () => {
    const { ledger, store, lose } = setup();
    expect([ledger.lastEpoch('main'), ledger.nextMsn('main')]).toEqual([undefined, undefined]);
    store({ msn: 7 });
    lose({ msn: 9, count: 3 });
    expect([ledger.lastEpoch('main'), ledger.nextMsn('main')]).toEqual([0, 12]);
    ledger.apply({ t: 'epoch', track: 'main', epoch: 1, at: 1, why: 'reset' });
    expect([ledger.lastEpoch('main'), ledger.nextMsn('main')]).toEqual([1, undefined]);
  });

  test('what was on its way lies between the first advertised number and the last settled one, in every epoch', () => {
    const { ledger, store, lose } = setup();
    ledger.apply({ t: 'epoch', track: 'main', epoch: 0, at: 1, why: 'first', first: 5 });
    store({ msn: 7 }, { msn: 11 });
    lose({ msn: 9 });
    ledger.apply({ t: 'epoch', track: 'main', epoch: 1, at: 1, why: 'reset' });
    store({ epoch: 1, msn: 3 }, { epoch: 1, msn: 5 });
    ledger.apply({ t: 'epoch', track: 'main', epoch: 2, at: 1, why: 'reset', first: 40 });
    expect(ledger.unsettled('main').map(({ epoch, msn, count }) => [epoch, msn, count])).toEqual([
      [0, 5, 2],
      [0, 8, 1],
      [0, 10, 1],
      [1, 4, 1],
    ]);
    expect(ledger.firstMsn('main')).toBe(40);
  });

  test('segments come in order of epoch and number however they arrived', () => {
    const { ledger, store } = setup();
    store({ epoch: 1, msn: 1 }, { msn: 12 }, { msn: 10 }, { msn: 11 }, { epoch: 1, msn: 0 });
    const order = (list: readonly SegmentStored[]) => list.map(({ epoch, msn }) => [epoch, msn]);
    expect(order(ledger.segments())).toEqual([
      [0, 10],
      [0, 11],
      [0, 12],
      [1, 0],
      [1, 1],
    ]);
    expect(order(ledger.tail('main', 3))).toEqual([
      [0, 12],
      [1, 0],
      [1, 1],
    ]);
    expect(ledger.tail('main', 0)).toEqual([]);
  });

  test('the first accepted playlist counts, and the last end', () => {
    const { ledger } = setup();
    ledger.apply({ t: 'recording', v: 1, jobId: 'job', at: 1 });
    ledger.apply({ t: 'attempt', attempt: 1, at: 2, recorder: 'hls', pid: 1 });
    ledger.apply({ t: 'started', at: 3, source: { height: 720 } });
    ledger.apply({ t: 'attempt', attempt: 2, at: 4, recorder: 'hls', pid: 2 });
    ledger.apply({ t: 'started', at: 5, source: {} });
    ledger.apply({ t: 'ended', at: 6, why: 'source.idle', evidence: {} });
    ledger.apply({ t: 'ended', at: 7, why: 'endlist', evidence: { polls: 3 } });
    expect(ledger).toMatchObject({
      jobId: 'job',
      attempts: 2,
      startedAt: 3,
      source: { height: 720 },
    });
    expect(ledger.ended?.why).toBe('endlist');
  });

  test('an initialisation section is found by its number', () => {
    const { ledger } = setup();
    const init = {
      t: 'init',
      init: 3,
      track: 'main',
      file: 'i.mp4',
      bytes: 9,
      checksum: '',
    } as const;
    ledger.apply(init);
    expect([ledger.init(3), ledger.init(4), ledger.inits]).toEqual([init, undefined, [init]]);
  });

  test('a ledger of tails counts everything, answers for every key, and refuses to list what it let go', () => {
    const { ledger, store } = setup({ segmentsKept: 10 });
    for (let msn = 0; msn < 1000; msn++) store({ msn });
    expect(ledger).toMatchObject({ stored: 1000, durationMs: 2_000_000 });
    expect(ledger.has({ track: 'main', epoch: 0, msn: 3 })).toBe(true);
    expect(ledger.tail('main', 10).map(({ msn }) => msn)).toEqual(
      [...Array(10).keys()].map((i) => 990 + i),
    );
    expect(() => ledger.segments()).toThrow(/keeps only tails/);
  });
});

test('any mix of lines leaves every number either stored or named, as a plain map would have it', () => {
  const line = fc.oneof(
    fc.record({ kind: fc.constant('segment'), msn: fc.nat(40), count: fc.constant(1) }),
    fc.record({ kind: fc.constant('gap'), msn: fc.nat(40), count: fc.integer({ min: 1, max: 9 }) }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const { ledger, store, lose, msns } = setup();
      const model = new Map<number, 'stored' | 'lost'>();
      let duplicates = 0;
      for (const { kind, msn, count } of lines) {
        if (kind === 'segment') {
          if (model.get(msn) === 'stored') duplicates++;
          model.set(msn, 'stored');
          store({ msn });
        } else {
          for (let number = msn; number < msn + count; number++) {
            if (!model.has(number)) model.set(number, 'lost');
          }
          lose({ msn, count, durationMs: count * 2000 });
        }
      }
      const of = (what: string) =>
        [...model]
          .filter(([, is]) => is === what)
          .map(([msn]) => msn)
          .sort((a, b) => a - b);
      const named = ledger
        .gaps()
        .flatMap(({ msn, count }) => Array.from({ length: count }, (_, i) => msn + i));
      expect(msns()).toEqual(of('stored'));
      expect(named).toEqual(of('lost'));
      expect(ledger.duplicates).toBe(duplicates);
      expect(proofOf(ledger)).toMatchObject({
        advertised: model.size,
        stored: of('stored').length,
      });
      const missingMs = ledger.gaps().reduce((sum, gap) => sum + gap.durationMs, 0);
      expect(missingMs).toBeCloseTo(of('lost').length * 2000);
    }),
  );
});
