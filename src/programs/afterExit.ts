import type { KennelErrorCode } from '../core/errors.ts';
import type { EndCause } from '../ledger/record.ts';
import type { ExitExplanation } from './recorderPlugin.ts';

/** Pauses between two programs that got no new media, milliseconds: the restart budgets' own bounds; what is missed meanwhile slides out of windows. */
const PAUSE_FIRST_MS = 200;
const PAUSE_LAST_MS = 2_000;
/** While a stream is awaited that was never there: as the native engine; a page costs its host more, and its tool a process. */
const PAUSE_AWAITED_LAST_MS = 5_000;
const PAUSE_AWAITED_PAGE_LAST_MS = 15_000;

/** How long an answer that there is nothing is doubted before the first media, milliseconds: as for playlists. */
const DOUBT_MS: Partial<Record<KennelErrorCode, number>> = {
  'source.notFound': 3_000,
  'source.refused': 3_000,
  'source.unavailable': 10_000,
  'source.vanished': 10_000,
  'timeout.exceeded': 10_000,
  'limit.exceeded': 5_000,
  'segment.invalid': 5_000,
  'playlist.invalid': 5_000,
};

/** What every attempt gives a source, however long the attempts before it have waited, milliseconds: as when there is no answer. */
const TRIED_MS_MIN = 10_000;

/** What a source may say for a moment although it goes on: after the first media only patience ends the wait for these. */
const PASSING: ReadonlySet<string> = new Set<KennelErrorCode>([
  'source.notFound',
  'source.refused',
  'source.unavailable',
  'source.vanished',
  'source.notLive',
  'timeout.exceeded',
]);

/** An encoder and its page do not agree on how long a file is: yt-dlp says whole seconds, and containers add a picture or two. */
const LENGTH_TOLERANCE_MS = 2_000;
const LENGTH_TOLERANCE_PART = 0.01;

/** One try: a program that has ended, or an answer that led to none. */
export interface TryOutcome {
  readonly explanation: ExitExplanation;
  readonly exitCode?: number | undefined;
  /** Media came out of it, new or not. */
  readonly hadMedia: boolean;
  /** Media time that it put out, milliseconds. */
  readonly mediaMs: number;
}

/** What is known of the source. */
export interface KnownSource {
  readonly isPage: boolean;
  readonly isLive?: boolean | undefined;
  /** It is a file by its address. */
  readonly isFile: boolean;
  readonly durationMs?: number | undefined;
}

export interface WaitState {
  /** The recording has begun, in this attempt or an earlier one. */
  readonly isRecorded: boolean;
  /** Since the last new media, or since the first attempt began; earlier attempts included. */
  readonly silentMs: number;
  /** The part of it in this attempt. */
  readonly triedMs: number;
  /** Tries since the last new media. */
  readonly fruitless: number;
  readonly waitMs: number;
  readonly patienceMs: number;
}

/** `refuse`: nothing can be recorded. `fall`: this attempt is over, `retryable` says whether another one may help. */
export type NextStep =
  | { readonly step: 'again'; readonly pauseMs: number }
  | { readonly step: 'end'; readonly why: EndCause }
  | { readonly step: 'refuse' }
  | { readonly step: 'fall'; readonly kind: 'crashed' | 'failed'; readonly retryable: boolean };

/** What follows a try. `chance`: 0 … 1, spreads those that lost the same source. */
export function afterExit(
  outcome: TryOutcome,
  { source, wait, chance }: { source: KnownSource; wait: WaitState; chance: number },
): NextStep {
  const { explanation } = outcome;
  if (reachedEnd(outcome, source)) return { step: 'end', why: 'source.ended' };
  const { fault, why, retry } = explanation;
  if ((fault === 'tool' || fault === 'machine') && retry) {
    return { step: 'fall', kind: 'crashed', retryable: true };
  }
  // A program that ended well has only stopped: as long as a source lives, nobody has said that it is over.
  const isAway = fault === 'none' || (fault === 'source' && (retry || isPassing(why, wait)));
  if (!isAway) {
    if (wait.isRecorded) return { step: 'fall', kind: 'failed', retryable: false };
    const mayBeWrong = fault === 'source' && !hasWaited(wait, doubtMs(why));
    return mayBeWrong ? again(wait, { source, chance }) : { step: 'refuse' };
  }
  if (!wait.isRecorded) {
    const enoughMs = Math.max(wait.waitMs, doubtMs(fault === 'none' ? 'source.unavailable' : why));
    return hasWaited(wait, enoughMs) ? { step: 'refuse' } : again(wait, { source, chance });
  }
  if (!hasWaited(wait, wait.patienceMs)) return again(wait, { source, chance });
  return { step: 'end', why: endOf(outcome) };
}

/** Whether a source from which nothing usable comes has been waited for as long as it may be. */
export const isWaitOver = (wait: WaitState): boolean =>
  hasWaited(
    wait,
    wait.isRecorded ? wait.patienceMs : Math.max(wait.waitMs, doubtMs('source.unavailable')),
  );

/** Each attempt tries a little: what it does not find at once may be there all the same. */
const hasWaited = ({ silentMs, triedMs }: WaitState, enoughMs: number): boolean =>
  silentMs >= enoughMs && triedMs >= Math.min(enoughMs, TRIED_MS_MIN);

const isPassing = (why: string, { isRecorded }: WaitState): boolean =>
  isRecorded && PASSING.has(why);

const doubtMs = (why: string): number =>
  new Map<string, number>(Object.entries(DOUBT_MS)).get(why) ?? 0;

function endOf({ explanation, hadMedia }: TryOutcome): EndCause {
  if (explanation.why === 'source.notLive') return 'source.ended';
  return explanation.fault === 'none' || hadMedia ? 'source.idle' : 'source.vanished';
}

/** Whether a file, or a broadcast that is over, was put out to its end. */
function reachedEnd({ exitCode, hadMedia, mediaMs }: TryOutcome, source: KnownSource): boolean {
  const { isLive, isFile, durationMs } = source;
  if (!hadMedia || isLive === true) return false;
  if (durationMs !== undefined) {
    const toleranceMs = Math.max(LENGTH_TOLERANCE_MS, durationMs * LENGTH_TOLERANCE_PART);
    return mediaMs >= durationMs - toleranceMs;
  }
  return exitCode === 0 && (isLive === false || isFile);
}

/** Longer with each fruitless try, and at random below that: whoever lost the same source must not come back all at once. */
function again(
  { isRecorded, fruitless }: WaitState,
  { source, chance }: { source: KnownSource; chance: number },
): NextStep {
  const awaitedMs = source.isPage ? PAUSE_AWAITED_PAGE_LAST_MS : PAUSE_AWAITED_LAST_MS;
  const lastMs = isRecorded ? PAUSE_LAST_MS : awaitedMs;
  const mostMs = Math.min(lastMs, PAUSE_FIRST_MS * 2 ** Math.min(fruitless, 10));
  return { step: 'again', pauseMs: PAUSE_FIRST_MS + chance * (mostMs - PAUSE_FIRST_MS) };
}
