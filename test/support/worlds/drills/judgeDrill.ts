import type { DrillFault } from './drillFault.ts';
import type { DrillKind } from './drillKinds.ts';

/** What came of one recording with several faults of one kind. */
export interface Drilled {
  readonly kind: string;
  readonly faults: readonly DrillFault[];
  /** From the order to end until the recording was over, milliseconds; where that is the drill. */
  readonly endedMs?: number;
  readonly orphans: readonly string[];
  readonly strays: readonly string[];
  /** What makes the proof untrue. */
  readonly untruths: readonly string[];
  /** How the job ended. */
  readonly state?: string | undefined;
  readonly verdict?: string | undefined;
  readonly outcome?: string | undefined;
  /** For whoever has to understand it. */
  readonly story: string;
}

/** The ladder of signals takes four seconds, what is in flight and the look for orphans some tenths more, milliseconds. */
const ENDED_WITHIN_MS = 7_000;

/** Whatever is wrong with a drill but its times, in words; empty when all is well. */
export function judgeDrill(kind: DrillKind, drilled: Drilled): string[] {
  const { faults, orphans, strays, untruths } = drilled;
  return [
    ...orphans.map((one) => `an orphan: ${one}`),
    ...strays.map((one) => `a stray: ${one}`),
    ...untruths.map((one) => `the proof is untrue: ${one}`),
    ...(faults.length === 0 ? ['nothing was done to any program'] : []),
    ...faults.flatMap(({ isTold }, at) =>
      isTold ? [] : [`the reason of fault ${at + 1} was not told`],
    ),
    ...endingUntrue(kind, drilled),
  ];
}

function endingUntrue(kind: DrillKind, drilled: Drilled): string[] {
  const { state, verdict, outcome, faults, endedMs = Number.POSITIVE_INFINITY } = drilled;
  const how = `the job ended as ${state} (${verdict ?? outcome})`;
  if (kind.leadsTo === 'fails') return state === 'failed' && verdict === kind.verdict ? [] : [how];
  const isDone = state === 'done' && /^(complete|gaps)$/.test(outcome ?? '');
  return [
    ...(isDone ? [] : [how]),
    ...(kind.leadsTo === 'stops' && endedMs > ENDED_WITHIN_MS ? [`it ended in ${endedMs} ms`] : []),
    ...(kind.leadsTo === 'recovers'
      ? faults.flatMap(({ mediaMs }, at) =>
          mediaMs === undefined ? [`nothing was recorded after fault ${at + 1}`] : [],
        )
      : []),
  ];
}
