import type { CageRung } from './cage.ts';
import type { CageToolName } from './cageTools.ts';

/** One way to build a cage. Several ways may lead to the same rung; the first that works on this machine is taken. */
export interface CagePlan {
  readonly rung: CageRung;
  /**
   * Built by root without a user namespace, and the program runs as a user of its own that nothing else runs as or belongs
   * to. False: in a user namespace, as Kennel's user.
   */
  readonly isRoots: boolean;
  /** A `/proc` that shows the cage's own processes; else it has none. */
  readonly hasProc: boolean;
  readonly hasNetwork: boolean;
  /** Whether bubblewrap can limit the size of a tmpfs (since 0.7). */
  readonly limitsTmpfs: boolean;
}

export const isBubblewrapped = (plan: CagePlan): boolean =>
  plan.rung !== 'limits' && plan.rung !== 'none';

/**
 * All ways, best first. Root's own way comes before the user namespace: only there does the kernel count the program's
 * processes (RLIMIT_NPROC does not bind uid 0, whatever it is called inside of a user namespace).
 */
export function cagePlans(isRoot: boolean): CagePlan[] {
  const owners = isRoot ? [true, false] : [false];
  const rows: readonly (readonly [CageRung, hasProc: boolean, hasNetwork: boolean])[] = [
    ['full', true, true],
    ['noProc', false, true],
    ['noNetwork', true, false],
    ['noNetwork', false, false],
  ];
  const wrapped = rows.flatMap(([rung, hasProc, hasNetwork]) =>
    owners.map((isRoots) => ({ rung, isRoots, hasProc, hasNetwork, limitsTmpfs: true })),
  );
  const bare = { isRoots: false, hasProc: false, hasNetwork: false, limitsTmpfs: false };
  return [...wrapped, { rung: 'limits', ...bare }, NO_CAGE];
}

export const NO_CAGE: CagePlan = {
  rung: 'none',
  isRoots: false,
  hasProc: false,
  hasNetwork: false,
  limitsTmpfs: false,
};

export function toolsOf(plan: CagePlan): CageToolName[] {
  if (plan.rung === 'none') return [];
  if (plan.rung === 'limits') return ['prlimit', 'setpriv'];
  return [
    'bwrap',
    'prlimit',
    ...(plan.isRoots ? (['setpriv'] as const) : []),
    ...(plan.hasNetwork ? (['nsenter'] as const) : []),
  ];
}
