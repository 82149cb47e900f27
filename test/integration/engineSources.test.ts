import { describe, expect, it, onTestFinished } from 'vitest';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { type OriginOptions, startOrigin } from '../support/origin/origin.ts';
import type { StreamOptions } from '../support/origin/streamOptions.ts';
import { fasterBy, recorderSetup } from '../unit/hls/streamRecorderSetup.ts';

/** Segments of a second come so many times faster, and the recorder's clock runs as fast. */
const RATE = 12;
const SEGMENTS = 18;

/** All streams begin together with the first question, so that what a slow start costs is no loss. */
const stream = (options: StreamOptions = {}): StreamOptions => ({
  clock: 'show',
  startsOnRequest: true,
  rate: RATE,
  window: 14,
  prefill: 4,
  endAfter: SEGMENTS,
  programDateTime: Date.parse('2026-11-21T12:00:00Z'),
  ...options,
});

/** Records what the origin's links offer until they end. */
async function setup(options: OriginOptions) {
  const origin = await startOrigin(options);
  onTestFinished(() => origin.stop());
  const parts = await recorderSetup();
  const recorded = async (spec: Partial<JobSpec>) => {
    const exit = await parts.record(spec, 1, fasterBy(RATE)).exited;
    const { ledger } = await parts.journal();
    const dates = new Set(ledger.segments('main').map(({ wallClock }) => wallClock));
    return { exit, ledger, dates };
  };
  return { origin, recorded, logged: parts.logged };
}

const WHOLE = { kind: 'ended', why: 'endlist' };

describe('two links with the same programme under numbers of their own', () => {
  it('make one recording of which nothing is missing, although each of them lacks something', async () => {
    const { origin, recorded } = await setup({
      streams: {
        a: stream({ faults: [{ on: 'segment', index: 6, count: 3, do: 'status', status: 404 }] }),
        b: stream({
          startSequence: 700,
          names: 'sequence',
          faults: [{ on: 'segment', index: 11, count: 3, do: 'status', status: 404 }],
        }),
      },
    });
    const { exit, ledger, dates } = await recorded({
      url: origin.playlistUrl('a'),
      fallbacks: [origin.playlistUrl('b')],
      dual: true,
      patienceMs: 20_000,
    });
    expect(exit).toMatchObject(WHOLE);
    expect([dates.size, ledger.stored, ledger.lost]).toEqual([SEGMENTS, SEGMENTS, 0]);
    const from = ledger.segments('main').map(({ source = 0 }) => source);
    expect(new Set(from)).toEqual(new Set([0, 1]));
  });

  it('take over from each other when the server of the first one is gone', async () => {
    const { origin, recorded, logged } = await setup({
      doors: { front: { clock: 'show', troubles: [{ do: 'refuse', fromMs: 400 }] } },
      streams: {
        a: stream({ door: 'front' }),
        b: stream({ startSequence: 700, names: 'sequence' }),
      },
    });
    const { exit, ledger, dates } = await recorded({
      url: origin.playlistUrl('a'),
      fallbacks: [origin.playlistUrl('b')],
      patienceMs: 20_000,
    });
    expect(exit).toMatchObject(WHOLE);
    expect([dates.size, ledger.lost]).toEqual([SEGMENTS, 0]);
    expect(logged.map(({ message }) => message)).toContain('Another source takes over.');
  });
});

describe('a master playlist', () => {
  it('with redundant variants is followed to the other door when the first is shut', async () => {
    const { origin, recorded } = await setup({
      doors: { first: { clock: 'show', troubles: [{ do: 'reset', fromMs: 400 }] }, second: {} },
      streams: { a: stream() },
      masters: {
        show: {
          variants: [
            { stream: 'a', door: 'first' },
            { stream: 'a', door: 'second' },
          ],
        },
      },
    });
    const { exit, ledger } = await recorded({ url: origin.masterUrlOf('show') });
    expect(exit).toMatchObject(WHOLE);
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([SEGMENTS, 0, 0]);
  });

  it('is asked again whenever the pass of its variant has run out', async () => {
    const { origin, recorded, logged } = await setup({
      streams: { a: stream({ passes: { validMs: 350 } }) },
      masters: { show: { variants: [{ stream: 'a' }] } },
    });
    const { exit, ledger } = await recorded({ url: origin.masterUrlOf('show') });
    expect(exit).toMatchObject(WHOLE);
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([SEGMENTS, 0, 0]);
    const refused = logged.filter(({ fields }) => fields['sign'] === 'http.403');
    expect(refused.length).toBeGreaterThan(1);
  });

  it('with sound apart is recorded with every language, segment by segment', async () => {
    const { origin, recorded } = await setup({
      streams: {
        picture: stream({ set: 'fmp4video' }),
        english: stream({ set: 'fmp4audio' }),
        german: stream({ set: 'fmp4audio' }),
      },
      masters: {
        show: {
          variants: [{ stream: 'picture', audio: 'sound' }],
          renditions: [
            { kind: 'audio', group: 'sound', stream: 'english', name: 'English', language: 'en' },
            { kind: 'audio', group: 'sound', stream: 'german', name: 'Deutsch', language: 'de' },
          ],
        },
      },
    });
    const { exit, ledger } = await recorded({ url: origin.masterUrlOf('show'), audio: ['all'] });
    expect(exit).toMatchObject(WHOLE);
    expect(ledger.tracks.map((track) => [track, ledger.segments(track).length])).toEqual([
      ['audio-de', SEGMENTS],
      ['audio-en', SEGMENTS],
      ['main', SEGMENTS],
    ]);
    expect(ledger.lost).toBe(0);
    const inits = ledger.inits.map(({ track, init }) => [track, init]);
    expect(new Set(inits.map(([, init]) => init)).size).toBe(3);
  });

  it('of a low-latency stream is recorded in whole segments, with held answers', async () => {
    const { origin, recorded } = await setup({
      streams: { a: stream({ set: 'ts', lowLatency: { partMs: 250 } }) },
      masters: { show: { variants: [{ stream: 'a' }] } },
    });
    const { exit, ledger } = await recorded({ url: origin.masterUrlOf('show') });
    expect(exit).toMatchObject(WHOLE);
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([SEGMENTS, 0, 0]);
  });
});
