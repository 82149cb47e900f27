import type { ProgramSigns } from '../../machines/ports.ts';
import type { WatchLimits } from '../../machines/vocabulary.ts';

/*
 * What heartbeatDoggy bites a program for (`machines/vitalSigns.ts`), milliseconds. A test holds that the source is judged before.
 */
const FIRST_MEDIA_MS = 30_000;
const FIRST_MEDIA_STRETCH = 2;
const STALE_MS = 15_000;
const STALE_MS_MIN = 10_000;
const STALE_TARGETS = 3;
const STALE_STRETCH = 3;
/** Earlier than the bite by two looks of a second each, whatever the source's pieces are. */
const BEFORE_THE_BITE = 0.8;
/** A sign that has not moved for this part of the limit stands still. */
const STILL_PART = 0.5 * BEFORE_THE_BITE;
/** Below this share of a core a program waits, above it computes. */
const WORKING_SHARE_MIN = 0.05;

/**
 * `silent`: the program waits, and nothing at all comes to it. `idle`: bytes come to it, or it computes, but no media comes of that;
 * whose fault that is cannot be seen from here.
 */
export interface SourceStill {
  readonly word: 'silent' | 'idle';
  readonly stillMs: number;
}

interface Moved {
  readonly signs: ProgramSigns;
  readonly egressAt: number;
  readonly cpuAt: number;
  readonly putOutAt: number;
}

/**
 * Whether the source of one program is silent. A program that hangs because its source says nothing is not to blame: it is given up
 * before heartbeatDoggy takes it for dead, so that waiting for the source costs no restart and goes on within one attempt.
 */
export class SourceSilence {
  readonly #limits: WatchLimits;
  #moved: Moved | undefined;

  constructor(limits: WatchLimits = {}) {
    this.#limits = limits;
  }

  /** To be called about once a second with the signs of a program that runs. */
  look(signs: ProgramSigns): SourceStill | undefined {
    const moved = this.#observe(signs);
    // A program that somebody holds hears nothing, whatever its source says.
    if (signs.isExcused || signs.isFrozen) return undefined;
    const { agedMs } = signs;
    const { limitMs, stretch } = this.#limit(signs);
    const stillMs = agedMs - moved.putOutAt;
    const isStill = (at: number) => agedMs - at > STILL_PART * limitMs;
    if (stillMs > BEFORE_THE_BITE * limitMs * stretch) return { word: 'idle', stillMs };
    const isSilent = isStill(moved.egressAt) && isStill(moved.cpuAt);
    return isSilent && stillMs > BEFORE_THE_BITE * limitMs
      ? { word: 'silent', stillMs }
      : undefined;
  }

  #observe(signs: ProgramSigns): Moved {
    const { agedMs: at, isExcused } = signs;
    const before = this.#moved;
    const seen = before?.signs;
    const later = (moved: boolean, since: number | undefined) =>
      moved || isExcused ? at : (since ?? 0);
    const cpuMs = signs.cpuMs - (seen?.cpuMs ?? 0);
    // Before its first media, what it puts out is not what it is waited for.
    const isPutOut = signs.mediaMs > (seen?.mediaMs ?? 0);
    this.#moved = {
      signs,
      egressAt: later(signs.egressBytes > (seen?.egressBytes ?? 0), before?.egressAt),
      cpuAt: later(cpuMs >= WORKING_SHARE_MIN * (at - (seen?.agedMs ?? 0)), before?.cpuAt),
      putOutAt: later(isPutOut, before?.putOutAt),
    };
    return this.#moved;
  }

  #limit({ mediaMs, targetMs }: ProgramSigns): { limitMs: number; stretch: number } {
    const { firstMediaMs = FIRST_MEDIA_MS, staleMs } = this.#limits;
    if (mediaMs === 0) return { limitMs: firstMediaMs, stretch: FIRST_MEDIA_STRETCH };
    const byTarget =
      targetMs === undefined ? STALE_MS : Math.max(STALE_MS_MIN, STALE_TARGETS * targetMs);
    return { limitMs: staleMs ?? byTarget, stretch: STALE_STRETCH };
  }
}

/** For people: why a program was given up. */
export const stillSentence = ({ word, stillMs }: SourceStill): string => {
  const seconds = Math.round(stillMs / 1_000);
  return word === 'silent'
    ? `its source has sent nothing for ${seconds} s, so it was ended`
    : `no media has come of its source for ${seconds} s, so it was ended`;
};
