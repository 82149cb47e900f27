import { describe, expect, it } from 'vitest';
import type { ProgramSigns } from '../../../machines/ports.ts';
import { observe, silenceOf, type VitalSigns } from '../../../machines/vitalSigns.ts';
import type { WatchLimits } from '../../../machines/vocabulary.ts';
import { SourceSilence, stillSentence } from '../../../src/programs/sourceSilence.ts';

const START: ProgramSigns = {
  ...{ run: 1, agedMs: 0, egressBytes: 0, outputBytes: 0, mediaMs: 0, recordedMs: 0, cpuMs: 0 },
  ...{ isFrozen: false, isExcused: false },
};

type Life = (agedMs: number) => Partial<ProgramSigns>;

/** Looks once a second: what was said first, and when. */
function lookAt(life: Life, limits: WatchLimits = {}, untilMs = 200_000) {
  const silence = new SourceSilence(limits);
  for (let agedMs = 0; agedMs <= untilMs; agedMs += 1_000) {
    const still = silence.look({ ...START, agedMs, ...life(agedMs) });
    if (still !== undefined) return { ...still, agedMs };
  }
  return undefined;
}

/** When heartbeatDoggy bites, which looks twice a second. */
function bittenAt(life: Life, limits: WatchLimits = {}): number {
  let vitals: VitalSigns | undefined;
  for (let agedMs = 0; agedMs <= 200_000; agedMs += 500) {
    vitals = observe(vitals, { ...START, agedMs, ...life(agedMs) });
    if (silenceOf(vitals, limits) !== undefined) return agedMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** One after another: bytes come until then, or media does. */
const bytesUntil =
  (endMs: number): Life =>
  (agedMs) => ({ egressBytes: Math.min(agedMs, endMs) });
const mediaUntil =
  (endMs: number, targetMs?: number): Life =>
  (agedMs) => {
    const ms = Math.min(agedMs, endMs);
    const moved = { egressBytes: ms, outputBytes: ms, mediaMs: ms, recordedMs: ms };
    return { ...moved, ...(targetMs !== undefined && { targetMs }) };
  };

describe('a source that says nothing', () => {
  it.each<{ readonly what: string; readonly life: Life; readonly limits?: WatchLimits }>([
    { what: 'from the beginning', life: () => ({}) },
    { what: 'after some bytes', life: bytesUntil(10_000) },
    { what: 'after many bytes', life: bytesUntil(29_000) },
    { what: 'after media', life: mediaUntil(20_000) },
    { what: 'after media of short pieces', life: mediaUntil(20_000, 1_000) },
    { what: 'after media of long pieces', life: mediaUntil(20_000, 10_000) },
    { what: 'where the job is less patient', life: () => ({}), limits: { firstMediaMs: 12_000 } },
    { what: 'where it is so after media', life: mediaUntil(9_000), limits: { staleMs: 12_000 } },
  ])('is told before its program is bitten: $what', ({ life, limits }) => {
    const still = lookAt(life, limits);
    expect(still?.word).toBe('silent');
    expect(still?.agedMs).toBeLessThan(bittenAt(life, limits));
  });

  it('is told to people with the time', () => {
    const sentence = 'its source has sent nothing for 13 s, so it was ended';
    expect(stillSentence({ word: 'silent', stillMs: 13_000 })).toBe(sentence);
  });
});

it('leaves a program that computes, or takes bytes, to others for as long as they would', () => {
  for (const life of [
    bytesUntil(100_000),
    (agedMs: number) => ({ cpuMs: agedMs }),
    (agedMs: number) => ({ ...mediaUntil(10_000)(agedMs), egressBytes: agedMs }),
  ]) {
    const still = lookAt(life);
    expect(still?.word).toBe('idle');
    expect(still?.agedMs).toBeLessThan(bittenAt(life));
  }
});

it('takes neither a stopped program nor one that waits for the disk for a silent source', () => {
  expect(lookAt(() => ({ isFrozen: true }))).toBeUndefined();
  const waitsUntil =
    (endMs: number): Life =>
    (agedMs) => ({ isExcused: agedMs < endMs });
  expect(lookAt(waitsUntil(100_000))?.agedMs).toBeGreaterThan(120_000);
});

it('finds nothing silent about pieces that come as late as they may', () => {
  const pieces = (everyMs: number) => (agedMs: number) =>
    mediaUntil(Number.POSITIVE_INFINITY)(Math.floor(agedMs / everyMs) * everyMs);
  expect(lookAt(pieces(11_000))).toBeUndefined();
});
