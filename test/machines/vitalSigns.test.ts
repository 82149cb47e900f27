import { describe, expect, test } from 'vitest';
import type { ProgramSigns } from '../../machines/ports.ts';
import {
  FIRST_MEDIA_MS,
  FIRST_MEDIA_STRETCH,
  observe,
  STALE_MS,
  STALE_MS_MIN,
  STALE_STRETCH,
  silenceOf,
  staleLimitMs,
  type VitalSigns,
} from '../../machines/vitalSigns.ts';
import type { WatchLimits } from '../../machines/vocabulary.ts';
import { type Growth, grown, LIVELY, NEWBORN } from './programSigns.ts';

const LOOK_MS = 500;

/** A program that is looked at every half second. */
class Watched {
  signs: ProgramSigns;
  vitals: VitalSigns | undefined;
  readonly #limits: WatchLimits;

  constructor(limits: WatchLimits = {}, signs: Partial<ProgramSigns> = {}) {
    this.#limits = limits;
    this.signs = { ...NEWBORN, ...signs };
    this.see();
  }

  see(change: Partial<ProgramSigns> = {}) {
    this.signs = { ...this.signs, ...change };
    this.vitals = observe(this.vitals, this.signs);
    return silenceOf(this.vitals, this.#limits);
  }

  /** Lives on for so long, growing with each look; the first silence ends it. */
  live(ms: number, growth: Growth = {}) {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      const silence = this.see(grown(this.signs, LOOK_MS, growth));
      if (silence) return silence;
    }
    return undefined;
  }
}

/** One that has recorded for a while; the media is a minute old. */
function recording(limits?: WatchLimits, signs?: Partial<ProgramSigns>) {
  const program = new Watched(limits, signs);
  expect(program.live(60_000, LIVELY)).toBeUndefined();
  return program;
}

describe('before its first media, a program', () => {
  test('may do nothing for half a minute, and no longer', () => {
    const program = new Watched();
    expect(program.live(FIRST_MEDIA_MS)).toBeUndefined();
    expect(program.live(LOOK_MS)).toMatchObject({ word: 'first.media', limitMs: FIRST_MEDIA_MS });
  });

  test.each(['egress', 'output', 'cpu'] as const)(
    'has longer while %s moves, but not for ever',
    (sign) => {
      const program = new Watched();
      const limitMs = FIRST_MEDIA_MS * FIRST_MEDIA_STRETCH;
      expect(program.live(limitMs, { [sign]: 100 })).toBeUndefined();
      expect(program.live(LOOK_MS, { [sign]: 100 })).toMatchObject({
        word: 'first.media',
        limitMs,
      });
    },
  );

  test('gets no longer time for the little that waiting costs', () => {
    const program = new Watched();
    const limitMs = FIRST_MEDIA_MS;
    expect(program.live(limitMs + LOOK_MS, { cpu: 10 })).toMatchObject({ limitMs });
  });

  test('has as long as the job says', () => {
    const program = new Watched({ firstMediaMs: 5_000 });
    expect(program.live(5_000)).toBeUndefined();
    expect(program.live(LOOK_MS)).toMatchObject({ word: 'first.media', limitMs: 5_000 });
  });

  test('is measured from its start, however late one begins to look', () => {
    const program = new Watched({}, { agedMs: FIRST_MEDIA_MS - 1_000 });
    // What it did before is not known, so it counts as working for a while.
    expect(program.live(FIRST_MEDIA_MS)).toMatchObject({ word: 'first.media' });
    expect(program.signs.agedMs).toBeLessThanOrEqual(1.5 * FIRST_MEDIA_MS);
  });
});

describe('after its first media, a program', () => {
  test('that does nothing at all hangs, and the evidence says what stood still for how long', () => {
    const program = recording();
    expect(program.live(STALE_MS)).toBeUndefined();
    const still = STALE_MS + LOOK_MS;
    expect(program.live(LOOK_MS)).toEqual({
      word: 'hung',
      limitMs: STALE_MS,
      stillMs: { egress: still, output: still, media: still, cpu: still },
      signs: {
        run: 1,
        agedMs: 60_000 + still,
        egressBytes: 120_000,
        outputBytes: 120_000,
        mediaMs: 60_000,
        recordedMs: 60_000,
        cpuMs: 6_000,
        isFrozen: false,
      },
    });
  });

  test('that computes without bytes spins', () => {
    const program = recording();
    expect(program.live(STALE_MS, { cpu: 500 })).toBeUndefined();
    expect(program.live(LOOK_MS, { cpu: 500 })).toMatchObject({
      word: 'spinning',
      stillMs: { cpu: 0 },
    });
  });

  test('that hangs in a loop which costs next to nothing does not spin', () => {
    expect(recording().live(2 * STALE_MS, { cpu: 10 })).toMatchObject({ word: 'hung' });
  });

  test('that is fed and puts nothing out is stuck, after a longer time', () => {
    const program = recording();
    const limitMs = STALE_MS * STALE_STRETCH;
    expect(program.live(limitMs, { egress: 1 })).toBeUndefined();
    expect(program.live(LOOK_MS, { egress: 1 })).toMatchObject({ word: 'stuck', limitMs });
  });

  test('that puts out bytes which hold no media is stuck, after as long', () => {
    const program = recording();
    const limitMs = STALE_MS * STALE_STRETCH;
    expect(program.live(limitMs, { output: 188, egress: 188 })).toBeUndefined();
    expect(program.live(LOOK_MS, { output: 188 })).toMatchObject({ word: 'stuck', limitMs });
  });

  test('hangs once nothing feeds it any more, however long it was fed in vain', () => {
    const program = recording();
    expect(program.live(STALE_MS + 5_000, { egress: 1 })).toBeUndefined();
    expect(program.live(STALE_MS)).toMatchObject({ word: 'hung', limitMs: STALE_MS });
    expect(program.signs.agedMs).toBeLessThan(60_000 + 2 * STALE_MS);
  });

  test('has as long as the job says', () => {
    const program = recording({ staleMs: 4_000 });
    expect(program.live(4_000)).toBeUndefined();
    expect(program.live(LOOK_MS)).toMatchObject({ word: 'hung', limitMs: 4_000 });
  });
});

test.each([
  [undefined, {}, STALE_MS],
  [2_000, {}, STALE_MS_MIN],
  [6_000, {}, 18_000],
  [6_000, { staleMs: 3_000 }, 3_000],
])(
  'media may stand still: pieces of %s ms, the job says %o, %i ms',
  (targetMs, limits, limitMs) => {
    const signs = { ...NEWBORN, ...(targetMs !== undefined && { targetMs }) };
    expect(staleLimitMs(signs, limits)).toBe(limitMs);
  },
);

describe('a program whose processes are all stopped', () => {
  test('is silent at once, at the second look in a row', () => {
    const program = recording();
    expect(program.see(grown({ ...program.signs, isFrozen: true }, LOOK_MS))).toBeUndefined();
    expect(program.live(LOOK_MS)).toMatchObject({ word: 'frozen', signs: { isFrozen: true } });
  });

  test('is not, when it goes on between two looks', () => {
    const program = recording();
    for (let look = 0; look < 10; look++) {
      program.signs = { ...program.signs, isFrozen: look % 2 === 0 };
      expect(program.live(LOOK_MS, LIVELY)).toBeUndefined();
    }
  });

  test('is not judged twice by the same sample', () => {
    const program = recording();
    const stopped = grown({ ...program.signs, isFrozen: true }, LOOK_MS);
    for (let look = 0; look < 10; look++) expect(program.see(stopped)).toBeUndefined();
  });
});

describe('a program of which nothing is expected', () => {
  test('may do nothing for hours, frozen or not', () => {
    const program = recording();
    program.signs = { ...program.signs, isExcused: true };
    expect(program.live(3_600_000)).toBeUndefined();
    program.signs = { ...program.signs, isFrozen: true };
    expect(program.live(10_000)).toBeUndefined();
  });

  test('is not frozen before it was seen so twice after that', () => {
    const program = recording();
    program.signs = { ...program.signs, isExcused: true, isFrozen: true };
    program.live(10_000);
    program.signs = { ...program.signs, isExcused: false };
    expect(program.live(LOOK_MS)).toBeUndefined();
    expect(program.live(LOOK_MS)).toMatchObject({ word: 'frozen' });
  });

  test('has the whole time again afterwards', () => {
    for (const program of [new Watched(), recording()]) {
      program.signs = { ...program.signs, isExcused: true };
      program.live(120_000);
      program.signs = { ...program.signs, isExcused: false };
      const limitMs = program.signs.mediaMs > 0 ? STALE_MS : FIRST_MEDIA_MS;
      expect(program.live(limitMs)).toBeUndefined();
      expect(program.live(LOOK_MS)).toBeDefined();
    }
  });
});

describe('another program', () => {
  test('in the same attempt is not blamed for what its predecessor did not do', () => {
    const program = recording();
    program.live(STALE_MS);
    expect(program.see({ ...NEWBORN, run: 2 })).toBeUndefined();
    expect(program.live(FIRST_MEDIA_MS)).toBeUndefined();
    expect(program.live(LOOK_MS)).toMatchObject({ word: 'first.media' });
  });

  test('of a new attempt is told apart by its younger age, or by smaller numbers', () => {
    for (const agedMs of [200, 200_000]) {
      const program = recording();
      program.live(STALE_MS);
      expect(program.see({ ...NEWBORN, agedMs, mediaMs: 40 })).toBeUndefined();
      expect(program.live(STALE_MS)).toBeUndefined();
    }
  });
});

test('signs that come late make nobody look dead', () => {
  const program = recording();
  const last = program.signs;
  for (let look = 0; look < 1_000; look++) expect(program.see(last)).toBeUndefined();
});

/** Pauses of a source between its pieces: any length up to the given one, by a seed. */
function* pauses(seed: number, maxMs: number): Generator<number> {
  let state = seed % 2_147_483_647;
  for (;;) {
    state = (state * 16_807) % 2_147_483_647;
    yield (state / 2_147_483_647) * maxMs;
  }
}

test.each([undefined, 2_000, 6_000])(
  'an hour of healthy streams that come in fits and starts is no reason to bark, with pieces of %s ms',
  (targetMs) => {
    const base = { ...NEWBORN, ...(targetMs !== undefined && { targetMs }) };
    const pauseMsMax = 0.9 * staleLimitMs(base);
    let alarms = 0;
    for (let seed = 1; seed <= 100; seed++) {
      let vitals = observe(undefined, base);
      let signs = base;
      let nextMs = 0.9 * FIRST_MEDIA_MS * (seed / 100);
      const lengths = pauses(seed, pauseMsMax);
      while (signs.agedMs < 3_600_000) {
        // Looks, too, come when they can.
        const atMs = signs.agedMs + LOOK_MS * (1 + ((seed + signs.egressBytes) % 3));
        const growth = { egress: 0, output: 0, media: 0 };
        for (; nextMs <= atMs; nextMs += lengths.next().value ?? 0) {
          growth.egress += 1_000;
          growth.output += 1_000;
          growth.media += 100;
        }
        signs = grown(signs, atMs - signs.agedMs, growth);
        vitals = observe(vitals, signs);
        if (silenceOf(vitals)) alarms += 1;
      }
    }
    expect(alarms).toBe(0);
  },
);
