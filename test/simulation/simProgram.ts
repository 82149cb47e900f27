import type { ProgramSigns } from '../../machines/ports.ts';
import { NEWBORN } from '../machines/programSigns.ts';
import type { RecorderRun } from './script.ts';
import { POLICY } from './simPolicy.ts';

/** Recorders that are programs. Those of `TROUBLED` go wrong at `afterMs`, the others never do. */
export const PROGRAMS = [
  'jitter', // healthy, in fits and starts; another program takes its place, its source is away for a while
  'file', // healthy, and much faster than its media plays
  'break', // as `file`, and dies by itself
  'stall', // nothing moves any more
  'freeze', // all its processes are stopped
  'spin', // computes, and nothing comes of it
  'stick', // takes bytes, and puts none out
  'blank', // never has any media
  'mux', // begins to mux by itself
] as const;
export type ProgramKind = (typeof PROGRAMS)[number];

const TROUBLED: ReadonlySet<string> = new Set(['stall', 'freeze', 'spin', 'stick', 'blank']);

export const isProgram = (kind: string): kind is ProgramKind =>
  (PROGRAMS as readonly string[]).includes(kind);

/** Whether a program of this kind comes to be silent, and obeys no stop then. */
export const isTroubled = (kind: string): boolean => TROUBLED.has(kind);

/** Half of the programs say how long the pieces of their source last. */
const TARGET_MS = 5_000;
const targetOf = ({ dieMs }: RecorderRun): number | undefined =>
  dieMs % 2 === 0 ? TARGET_MS : undefined;

/*
 * What doggies promise, written down once more: read from their code, it would follow every bug in it. Pieces of 5 s, and of a
 * length that nobody knows, come to the same.
 */
const STALE_MS = 15_000;
/** With bytes that still come to the program. */
const STALE_FED_MS = 45_000;
/** For a program that visibly works. */
const FIRST_MEDIA_MS = 60_000;

/** How much faster than it plays a file comes. */
export const FILE_SPEED = 20;
/** For how long the source of a jittery program is away, and nothing is expected of it. */
const AWAY_MS = 60_000;
/** Pauses of a jittery program, as parts of what is taken for silence. */
const PAUSES = [0.9, 0.02, 0.5, 0.9, 0.9, 0.1, 0.3];

/** The first piece of a jittery program, milliseconds of media. */
const FIRST_PIECE_MS = 40;

/** How much a jittery program has brought, milliseconds of media: what had piled up during each pause comes at its end. */
function inFits(ageMs: number): number {
  let at = ageMs > 0 ? FIRST_PIECE_MS : 0;
  for (let piece = 0; ; piece++) {
    const next = at + (PAUSES[piece % PAUSES.length] ?? 1) * STALE_MS;
    if (next > ageMs) return at;
    at = next;
  }
}

/**
 * The signs of a program at an age, milliseconds. What the recording holds from earlier ones comes on top. Pure: nobody has to
 * push numbers about for them to grow.
 */
export function signsAt(run: RecorderRun, ageMs: number, recordedBefore: number): ProgramSigns {
  const targetMs = targetOf(run);
  const signs = { ...grownTo(run, ageMs), ...(targetMs !== undefined && { targetMs }) };
  const before = signs.run > 1 ? mediaOf(run, run.afterMs) : 0;
  return { ...signs, recordedMs: recordedBefore + before + signs.mediaMs };
}

/** Media time that one program of a run has brought. */
function mediaOf(run: RecorderRun, ageMs: number): number {
  const playedMs = Math.max(0, ageMs - run.startMs);
  if (run.kind === 'file' || run.kind === 'break') return playedMs * FILE_SPEED;
  return run.kind === 'jitter' ? inFits(playedMs) : playedMs;
}

function grownTo(run: RecorderRun, ageMs: number): ProgramSigns {
  const { kind, afterMs } = run;
  if (kind === 'jitter') return jittery(run, ageMs);
  const goneWrong = isTroubled(kind) && ageMs >= afterMs;
  const livedMs = isTroubled(kind) ? Math.min(ageMs, afterMs) : ageMs;
  const mediaMs = kind === 'blank' ? 0 : mediaOf(run, livedMs);
  const isSpinning = goneWrong && kind === 'spin';
  const isFed = goneWrong && kind === 'stick';
  return {
    ...NEWBORN,
    agedMs: ageMs,
    egressBytes: isFed ? ageMs : livedMs,
    outputBytes: mediaMs,
    mediaMs,
    cpuMs: isSpinning ? ageMs : livedMs * 0.1,
    isFrozen: goneWrong && kind === 'freeze',
    ...(kind === 'mux' &&
      ageMs >= afterMs && { stray: { sign: 'child.muxes', file: 'show.temp.mp4' } }),
  };
}

/** At `afterMs` its source goes away for a while; when that is back, the same program goes on, or another one begins. */
function jittery(run: RecorderRun, ageMs: number): ProgramSigns {
  const { afterMs } = run;
  const backMs = afterMs + AWAY_MS;
  const isAway = ageMs >= afterMs && ageMs < backMs;
  const isBack = ageMs >= backMs;
  const isSecond = isBack && afterMs % 2 === 0;
  const agedMs = isSecond ? ageMs - backMs : ageMs;
  const presentMs = isBack && !isSecond ? ageMs - AWAY_MS : agedMs;
  const mediaMs = mediaOf(run, isAway ? afterMs : presentMs);
  return {
    ...NEWBORN,
    run: isSecond ? 2 : 1,
    agedMs,
    egressBytes: mediaMs,
    outputBytes: mediaMs,
    mediaMs,
    cpuMs: Math.floor(mediaMs / 100),
    isExcused: isAway,
    // Between, a moment in which a debugger has it, that no second look sees.
    isFrozen: isAway || isHeldAt(agedMs),
  };
}

/** Now and then, for half the time between two looks: two in a row never see it, however their times are rounded. */
function isHeldAt(agedMs: number): boolean {
  const looks = agedMs / POLICY.programLookMs;
  const nearest = Math.round(looks);
  return nearest % 40 === 7 && Math.abs(looks - nearest) < 0.25;
}

/** How long after its trouble began a program may still live, milliseconds, dying included. */
export function silentMsMax(run: RecorderRun): number {
  const { kind, startMs, afterMs, dieMs } = run;
  // The first look may be a slow one, before anybody knows that it is a program; then one to see, and one to be sure.
  const looksMs = POLICY.heartbeat.everyMs + 3 * POLICY.programLookMs + dieMs;
  const firstMs = Math.max(0, FIRST_MEDIA_MS - afterMs);
  if (kind === 'freeze' || kind === 'mux') return looksMs;
  if (kind === 'blank' || startMs >= afterMs) return firstMs + looksMs;
  return (kind === 'stick' ? STALE_FED_MS : STALE_MS) + looksMs;
}
