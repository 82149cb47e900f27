import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type LivingProcess, processOf } from '../processes.ts';

/** One program that recorded, from when it was first seen until it was seen no more; milliseconds since the epoch. */
export interface SeenProgram {
  readonly pid: number;
  readonly startedAt: number;
  /** When it was first seen to have a child. */
  childAt?: number;
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
/** What starts a program becomes it (exec): one that was first seen longer ago than this will not. */
const YOUNG_MS = 10_000;

/**
 * Watches which programs record below a data directory: processes that run the tool itself (not what is around it in a cage, and not
 * questions to it) in a recording's work directory.
 */
export function watchPrograms(dataDir: string, tool: string): ProgramWatch {
  const programs: SeenProgram[] = [];
  const seenAt = new Map<number, number>();
  const living = new Map<number, SeenProgram>();
  const look = () => {
    const now = Date.now();
    const there = new Set(pids());
    for (const [pid, program] of living) {
      if (there.has(pid) && !isDead(pid)) continue;
      program.endedAt = now;
      living.delete(pid);
    }
    for (const pid of seenAt.keys()) if (!there.has(pid)) seenAt.delete(pid);
    for (const pid of there) {
      const since = seenAt.get(pid) ?? now;
      seenAt.set(pid, since);
      if (living.has(pid) || now - since > YOUNG_MS) continue;
      // Before it becomes another one (exec), what a program has started looks like itself.
      const parent = living.get(parentOf(pid));
      if (parent !== undefined) {
        parent.childAt ??= now;
        // Whatever becomes of its parent.
        seenAt.set(pid, 0);
        continue;
      }
      if (!isTool(pid, { dataDir, tool })) continue;
      const program = { pid, startedAt: now };
      living.set(pid, program);
      programs.push(program);
    }
  };
  // Whatever was there before belongs to nobody's drill.
  for (const pid of pids()) seenAt.set(pid, 0);
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

/** From the state on, as proc(5) has them. */
const statFields = (pid: number): string[] => {
  const stat = read(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

const isDead = (pid: number): boolean => /^([ZX]|$)/.test(statFields(pid)[0] ?? '');
const parentOf = (pid: number): number => Number(statFields(pid)[1]);

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
  const parentIn = ({ parent }: LivingProcess) => living.find(({ pid }) => pid === parent);
  for (let one = parentIn(program); one !== undefined; one = parentIn(one)) {
    if (!one.environment.some((word) => word.startsWith('KENNEL_JOB='))) break;
    above.push(one);
  }
  const family = [...below(program.pid), program, ...above];
  return family.filter(({ arguments: words }) => !words.includes(dataDir));
}
