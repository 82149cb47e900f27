import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type LivingProcess, processOf } from '../processes.ts';

/** One program that recorded, from when it was first seen until it was seen no more; milliseconds since the epoch. */
export interface SeenProgram {
  readonly pid: number;
  readonly startedAt: number;
  endedAt?: number;
}

export interface ProgramWatch {
  /** In the order of their beginnings. */
  readonly programs: readonly SeenProgram[];
  /** The one that lives now, with all that belongs to it: children first, what is around it last. */
  current():
    | { readonly program: LivingProcess; readonly all: readonly LivingProcess[] }
    | undefined;
  close(): void;
}

/** How often /proc is looked through, milliseconds: so exact are the times. */
const LOOK_MS = 40;

/**
 * Watches which programs record below a data directory: processes that run the tool itself (not what is around it in a cage, and not
 * questions to it) in a recording's work directory.
 */
export function watchPrograms(dataDir: string, tool: string): ProgramWatch {
  const programs: SeenProgram[] = [];
  const known = new Map<number, SeenProgram | undefined>();
  const look = () => {
    const now = Date.now();
    const living = new Set(pids());
    for (const [pid, program] of known) {
      if (living.has(pid) && !isDead(pid)) continue;
      known.delete(pid);
      if (program) program.endedAt = now;
    }
    for (const pid of living) {
      if (known.get(pid) !== undefined || (known.has(pid) && !isYoung(pid))) continue;
      if (!isTool(pid, { dataDir, tool })) {
        known.set(pid, undefined);
        continue;
      }
      const program = { pid, startedAt: now };
      known.set(pid, program);
      programs.push(program);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  const current = () => {
    look();
    const last = programs.findLast(({ endedAt }) => endedAt === undefined);
    const [program] = last === undefined ? [] : processOf(last.pid);
    if (program === undefined) return undefined;
    return { program, all: familyOf(program, dataDir) };
  };
  return { programs, current, close: () => clearInterval(timer) };
}

const pids = (): number[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(join('/proc', String(pid), file), 'latin1');
  } catch {
    return '';
  }
};

const isDead = (pid: number): boolean => {
  const stat = read(pid, 'stat');
  return stat === '' || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
};

/** What starts a program becomes it (exec): one that is younger than this may be another a moment later. */
const YOUNG_SECONDS = 10;
const TICKS_PER_SECOND = 100;

function isYoung(pid: number): boolean {
  const stat = read(pid, 'stat');
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const upSeconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  return upSeconds - startTicks / TICKS_PER_SECOND < YOUNG_SECONDS;
}

function isTool(pid: number, { dataDir, tool }: { dataDir: string; tool: string }): boolean {
  const words = read(pid, 'cmdline').split('\0');
  // By itself, or as a script of its interpreter.
  if (words[0] !== tool && words[1] !== tool) return false;
  return workDirectoryOf(pid).startsWith(join(dataDir, 'recordings'));
}

function workDirectoryOf(pid: number): string {
  try {
    return readlinkSync(join('/proc', String(pid), 'cwd'));
  } catch {
    return '';
  }
}

/** The program's descendants, itself, and those of its ancestors that were started for it. */
function familyOf(program: LivingProcess, dataDir: string): LivingProcess[] {
  const living = pids().flatMap((pid) => processOf(pid));
  const below = (pid: number): LivingProcess[] =>
    living.filter(({ parent }) => parent === pid).flatMap((one) => [...below(one.pid), one]);
  const above: LivingProcess[] = [];
  const parentOf = ({ parent }: LivingProcess) => living.find(({ pid }) => pid === parent);
  for (let one = parentOf(program); one !== undefined; one = parentOf(one)) {
    if (!one.environment.some((word) => word.startsWith('KENNEL_JOB='))) break;
    above.push(one);
  }
  const family = [...below(program.pid), program, ...above];
  return family.filter(({ arguments: words }) => !words.includes(dataDir));
}
