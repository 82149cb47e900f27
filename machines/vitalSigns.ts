import type { ProgramSigns } from './ports.ts';
import type { WatchLimits } from './vocabulary.ts';

/*
 * Whether a recorder that is a program lives. All time here is the program's own age as it was told with the signs, not the
 * clock of whoever looks: signs that come late make nobody look dead.
 */

/**
 * From the start of a program to its first media, milliseconds: yt-dlp asks a site some ten times before it begins, which
 * takes up to 20 s with a slow one.
 */
export const FIRST_MEDIA_MS = 30_000;
/** So many times longer when it visibly works: bytes come or go, or it computes. */
export const FIRST_MEDIA_STRETCH = 2;
/** From media to media, where the length of the source's pieces is not known, milliseconds: few pieces last longer than 10 s. */
export const STALE_MS = 15_000;
/** Where it is known: so many pieces long, and never shorter than this. A player gives up after three as well (RFC 8216). */
export const STALE_TARGETS = 3;
export const STALE_MS_MIN = 10_000;
/** So many times longer while bytes still come to it: a slow source is not its fault, but playlists that it asks for in vain are bytes too. */
export const STALE_STRETCH = 3;
/** A sign moves still when it moved within this part of the limit: whatever works does something more often than that. */
const STILL_MOVING_PART = 0.5;
/** Below this share of a core it waits, above it computes: waiting for a dead socket, ffmpeg takes less than 1 %. */
const WORKING_SHARE_MIN = 0.05;
/** One look may hit a moment in which a debugger, or a job control, holds a healthy program. */
const FROZEN_SAMPLES = 2;

type Sign = 'egress' | 'output' | 'media' | 'cpu';

/** What is remembered from look to look. Ages are those of the program, milliseconds. */
export interface VitalSigns {
  readonly seen: ProgramSigns;
  /** The age at which each sign moved last; CPU time moves when it grows by more than waiting costs. */
  readonly movedAt: Readonly<Record<Sign, number>>;
  /** The age at which something was last not expected of it. */
  readonly excusedAt: number;
  /** Samples in a row in which every process of it was stopped, although something was expected of it. */
  readonly frozen: number;
}

/**
 * `frozen`: all its processes are stopped. `first.media`: none came in time. `hung`: nothing moves. `spinning`: it computes, but
 * no bytes come or go. `stuck`: bytes move, the media does not.
 */
export type SilenceWord = 'frozen' | 'first.media' | 'hung' | 'spinning' | 'stuck';

/** The program is silent: why that is said, and what was seen. */
export interface Silence {
  readonly word: SilenceWord;
  /** What it had to do within so many milliseconds, and did not. */
  readonly limitMs: number;
  /** For how long each sign has stood still, milliseconds. */
  readonly stillMs: Readonly<Record<Sign, number>>;
  /** The last signs of all. */
  readonly signs: Omit<ProgramSigns, 'stray' | 'isExcused'>;
}

/** Whether this is a sample that was seen before: nothing new is known then. */
export const isOldNews = ({ seen }: VitalSigns, signs: ProgramSigns): boolean =>
  seen.run === signs.run && seen.agedMs === signs.agedMs;

/** Another program has taken the place of the one that was seen, within one attempt or with a new one. */
const isAnother = (seen: ProgramSigns, signs: ProgramSigns): boolean =>
  seen.run !== signs.run ||
  seen.agedMs > signs.agedMs ||
  seen.egressBytes > signs.egressBytes ||
  seen.outputBytes > signs.outputBytes ||
  seen.mediaMs > signs.mediaMs;

/** While nothing is expected of it, it may be stopped as well. */
const isStopped = ({ isFrozen, isExcused }: ProgramSigns): boolean => isFrozen && !isExcused;

/** Takes a sample down. `before`: what was remembered; undefined at the first look. */
export function observe(before: VitalSigns | undefined, signs: ProgramSigns): VitalSigns {
  if (before === undefined || isAnother(before.seen, signs)) {
    const { agedMs } = signs;
    return {
      seen: signs,
      movedAt: { egress: agedMs, output: agedMs, media: agedMs, cpu: agedMs },
      excusedAt: signs.isExcused ? agedMs : 0,
      frozen: isStopped(signs) ? 1 : 0,
    };
  }
  if (isOldNews(before, signs)) return before;
  const { seen, movedAt } = before;
  const at = signs.agedMs;
  const isWorking = signs.cpuMs - seen.cpuMs >= WORKING_SHARE_MIN * (at - seen.agedMs);
  return {
    seen: signs,
    movedAt: {
      egress: signs.egressBytes > seen.egressBytes ? at : movedAt.egress,
      output: signs.outputBytes > seen.outputBytes ? at : movedAt.output,
      media: signs.mediaMs > seen.mediaMs ? at : movedAt.media,
      cpu: isWorking ? at : movedAt.cpu,
    },
    excusedAt: signs.isExcused ? at : before.excusedAt,
    frozen: isStopped(signs) ? before.frozen + 1 : 0,
  };
}

/** How long this source's media may stand still, milliseconds. */
export const staleLimitMs = ({ targetMs }: ProgramSigns, { staleMs }: WatchLimits = {}): number =>
  staleMs ?? (targetMs === undefined ? STALE_MS : Math.max(STALE_MS_MIN, STALE_TARGETS * targetMs));

/** Undefined: it lives, as far as can be told; while it is excused, all time begins anew with each sample. */
export function silenceOf(vitals: VitalSigns, limits: WatchLimits = {}): Silence | undefined {
  const { seen, frozen } = vitals;
  if (frozen >= FROZEN_SAMPLES) return silent(vitals, 'frozen', 0);
  return seen.mediaMs > 0 ? staleness(vitals, limits) : lateness(vitals, limits);
}

/** Before its first media. */
function lateness(vitals: VitalSigns, limits: WatchLimits): Silence | undefined {
  const { seen, excusedAt } = vitals;
  const { firstMediaMs = FIRST_MEDIA_MS } = limits;
  const signs = ['egress', 'output', 'cpu'] as const;
  const works = signs.some((sign) => moves(vitals, sign, firstMediaMs));
  const limitMs = firstMediaMs * (works ? FIRST_MEDIA_STRETCH : 1);
  return seen.agedMs - excusedAt > limitMs ? silent(vitals, 'first.media', limitMs) : undefined;
}

/** After its first media. */
function staleness(vitals: VitalSigns, limits: WatchLimits): Silence | undefined {
  const { seen, movedAt, excusedAt } = vitals;
  const staleMs = staleLimitMs(seen, limits);
  const stretchedMs = staleMs * STALE_STRETCH;
  const isFed = moves(vitals, 'egress', staleMs);
  const limitMs = isFed ? stretchedMs : staleMs;
  const since = (...ages: number[]) => seen.agedMs - Math.max(excusedAt, ...ages);
  if (since(movedAt.media, movedAt.output) > limitMs) {
    const idle = moves(vitals, 'cpu', staleMs) ? 'spinning' : 'hung';
    return silent(vitals, isFed ? 'stuck' : idle, limitMs);
  }
  // It puts something out, but no media: tables, padding, the same moment again and again.
  return since(movedAt.media) > stretchedMs ? silent(vitals, 'stuck', stretchedMs) : undefined;
}

const moves = ({ seen, movedAt }: VitalSigns, sign: Sign, limitMs: number): boolean =>
  seen.agedMs - movedAt[sign] <= STILL_MOVING_PART * limitMs;

function silent({ seen, movedAt }: VitalSigns, word: SilenceWord, limitMs: number): Silence {
  const { stray: _, isExcused: __, ...signs } = seen;
  const stillMs = {
    egress: seen.agedMs - movedAt.egress,
    output: seen.agedMs - movedAt.output,
    media: seen.agedMs - movedAt.media,
    cpu: seen.agedMs - movedAt.cpu,
  };
  return { word, limitMs, stillMs, signs };
}
