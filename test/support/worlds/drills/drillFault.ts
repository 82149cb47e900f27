import type { LedgerRecord } from '../../../../src/ledger/record.ts';
import type { DrillKind } from './drillKinds.ts';
import type { SeenProgram } from './programWatch.ts';
import type { ToldEnd } from './toldEnds.ts';

/** What one fault led to; milliseconds after it. Absent: never. */
export interface DrillFault {
  /** The program was over, or Kennel had said that it does wrong. */
  readonly noticedMs?: number;
  /** The next program started. */
  readonly restartMs?: number;
  /** The next program's first media was stored. */
  readonly mediaMs?: number;
  /** Its true reason was told. */
  readonly isTold: boolean;
}

/** How late a program's start and end are seen, and told, at most; milliseconds. */
const SLACK_MS = 400;

export interface SeenFaults {
  readonly kind: DrillKind;
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly programs: readonly SeenProgram[];
  readonly told: readonly ToldEnd[];
  readonly records: readonly LedgerRecord[];
}

/** Puts together what was seen from outside (programs), what was told, and what was stored. */
export function drillFaults({ kind, times, programs, told, records }: SeenFaults): DrillFault[] {
  // A program's end may be told a little before it is seen. What does wrong from its start has one after that.
  const earlyMs = kind.wrongFrom === 'start' ? 0 : SLACK_MS;
  return times.map((at) => {
    const next = programs.find(({ startedAt }) => startedAt > at);
    const until = next === undefined ? Number.POSITIVE_INFINITY : next.startedAt + SLACK_MS;
    const ofIt = told.filter((one) => one.at > at - earlyMs && one.at < until);
    const reason = ofIt.find(({ text }) => kind.reason.test(text));
    const end = programs.find(({ endedAt = 0 }) => endedAt >= at)?.endedAt;
    const noticedAt = Math.min(reason?.at ?? Number.POSITIVE_INFINITY, end ?? at);
    const media =
      next && records.find((record) => record.t === 'segment' && record.at > next.startedAt);
    return {
      isTold: reason !== undefined,
      ...((reason ?? end) && { noticedMs: Math.max(0, noticedAt - at) }),
      ...(next && { restartMs: next.startedAt - at }),
      ...(media?.t === 'segment' && { mediaMs: media.at - at }),
    };
  });
}

/**
 * When those programs did wrong that were told to, and have ended.
 *
 * @param between.reformedAt programs that were started later behave
 * @param between.stoppedAt what ended later was told to
 */
export function wrongTimes(
  { wrongFrom = 'end' }: DrillKind,
  programs: readonly SeenProgram[],
  between: { readonly reformedAt?: number; readonly stoppedAt?: number },
): number[] {
  const { reformedAt = Number.POSITIVE_INFINITY, stoppedAt = Number.POSITIVE_INFINITY } = between;
  const when = ({ startedAt, childAt, endedAt }: SeenProgram) =>
    ({ start: startedAt, child: childAt, end: endedAt })[wrongFrom];
  return programs
    .filter(
      ({ startedAt, endedAt }) => startedAt < reformedAt && (endedAt ?? stoppedAt) < stoppedAt,
    )
    .flatMap((program) => when(program) ?? []);
}
