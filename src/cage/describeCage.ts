import type { CageReport, CageRung } from './cage.ts';
import { type CageMode, isEnough, NEXT_STEP } from './openCage.ts';

/** What the doctor says. `bad`: nothing would be started, because the operator requires more. */
export interface CageDescription {
  readonly verdict: 'good' | 'fair' | 'bad';
  readonly found: string;
  readonly advice?: string;
}

const FOUND: Readonly<Record<CageRung, string>> = {
  full: 'programs see their own files, processes and network only',
  noProc: 'programs see their own files, processes and network only, and have no /proc',
  noNetwork:
    'programs see their own files and processes only, but share the network of this machine',
  limits:
    'programs see everything that Kennel can see; only their files and privileges are limited',
  none: 'programs run without a cage',
};

/** @param mode as configured: what is too little for `required` is `bad` */
export function describeCage(report: CageReport, mode: CageMode = 'auto'): CageDescription {
  const { rung, hasSeccomp, missing, hasProcessLimit = true } = report;
  const isGood = isEnough(rung);
  const notes = [
    FOUND[rung],
    ...(isGood && !hasSeccomp ? ['no seccomp filter is known for this machine'] : []),
    ...(isGood && !hasProcessLimit
      ? ['the number of their processes is limited by looking once a second only']
      : []),
  ];
  const found = `${rung}: ${notes.join('; ')}`;
  if (isGood) {
    const isRoots = hasProcessLimit ? undefined : PROCESS_ADVICE;
    return { verdict: 'good', found, ...(isRoots !== undefined && { advice: isRoots }) };
  }
  if (mode === 'off') return { verdict: 'fair', found, advice: 'It was switched off.' };
  const problem = missing.findLast((entry) => isEnough(entry.rung))?.problem;
  return {
    verdict: mode === 'required' ? 'bad' : 'fair',
    found: problem === undefined ? found : `${found} (${problem})`,
    advice: NEXT_STEP,
  };
}

const PROCESS_ADVICE =
  'Run Kennel as another user than root, or limit the processes of its container (pids.max).';
