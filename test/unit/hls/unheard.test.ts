import { describe, expect, it } from 'vitest';
import { type Hearing, unheardOf } from '../../../src/hls/unheard.ts';

const main = { beganAt: 1_000, newAt: 600_000 };
const well: Hearing = {
  track: 'audio-en',
  isResumed: false,
  hasEnded: false,
  first: { at: 2_000, windowMs: 20_000 },
  newAt: 599_000,
  targetMs: 4_000,
};
const isUnheard = (track: Partial<Hearing>) => unheardOf(main, [{ ...well, ...track }]).length > 0;

describe('a track lacks what cannot be counted', () => {
  it('when no playlist of it was ever read', () => {
    expect(isUnheard({})).toBe(false);
    expect(isUnheard({ first: undefined })).toBe(true);
  });

  it('when it came later than its first playlist reached back', () => {
    expect(isUnheard({ first: { at: 30_000, windowMs: 20_000 } })).toBe(false);
    expect(isUnheard({ first: { at: 34_000, windowMs: 20_000 } })).toBe(true);
  });

  it('but not for what an earlier attempt has heard: its numbers tell what is missing between', () => {
    expect(isUnheard({ isResumed: true, first: { at: 300_000, windowMs: 0 } })).toBe(false);
    expect(isUnheard({ isResumed: true, first: undefined, newAt: 599_000 })).toBe(false);
  });

  it('when it said nothing new for a time before the end, unless it had ended by its own word', () => {
    expect(isUnheard({ newAt: 589_000 })).toBe(false);
    expect(isUnheard({ newAt: 587_000 })).toBe(true);
    expect(isUnheard({ newAt: 587_000, hasEnded: true })).toBe(false);
  });

  it('later where its segments are longer', () => {
    expect(isUnheard({ newAt: 520_000, targetMs: 30_000 })).toBe(false);
    expect(isUnheard({ newAt: 500_000, targetMs: 30_000 })).toBe(true);
  });
});
