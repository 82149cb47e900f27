import { constants } from 'node:os';

/** How a process ended. */
export interface ProcessExit {
  readonly exitCode?: number;
  readonly signal?: string;
}

/** What shells and wrappers add to the number of the signal that ended their program. */
const SIGNAL_BASE = 128;
/** streamlink says this itself when it was interrupted. */
const INTERRUPTED = SIGNAL_BASE + constants.signals.SIGINT;

/** What a wrapper's exit (bubblewrap, prlimit, setpriv) tells of the program in it: a signal comes out of it as an exit code. */
export function wrappedExit(exit: ProcessExit): ProcessExit {
  const { exitCode = 0 } = exit;
  if (exitCode <= SIGNAL_BASE || exitCode === INTERRUPTED) return exit;
  const named = Object.entries(constants.signals).find(
    ([, number]) => number === exitCode - SIGNAL_BASE,
  );
  return named === undefined ? exit : { signal: named[0] };
}
