import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What one process has cost so far, and what it holds. */
export interface ProcessCost {
  /** User and system time of all its threads, and of all children that it has waited for, milliseconds. */
  readonly cpuMs: number;
}

export interface ProcessMemory {
  /** Pages in memory, bytes. Pages that several processes share count in each of them. */
  readonly rssBytes: number;
  /** The same with every shared page divided among those who share it, so that it may be added up, bytes. */
  readonly pssBytes: number;
}

interface Entry extends ProcessCost {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

/** proc(5) counts CPU time in ticks: 100 a second nearly everywhere. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** All processes of this machine at one instant. */
export class ProcessTable {
  readonly #entries = new Map<number, Entry>();
  readonly #memory = new Map<number, ProcessMemory>();

  constructor() {
    for (const name of readdirSync('/proc')) {
      const entry = /^\d+$/.test(name) ? entryOf(Number(name)) : undefined;
      if (entry) this.#entries.set(entry.pid, entry);
    }
  }

  /** These processes and everything below them, each once; those that are gone are left out. */
  treesOf(roots: readonly number[]): number[] {
    const found = new Set(roots.filter((pid) => this.#entries.has(pid)));
    // A set can grow while it is walked: then the walk reaches what is new.
    for (const pid of found)
      for (const entry of this.#entries.values()) if (entry.parent === pid) found.add(entry.pid);
    return [...found];
  }

  /** Children of a process that run a program of this name. */
  childrenNamed(parent: number, name: string): number[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.parent === parent && entry.name === name)
      .map(({ pid }) => pid);
  }

  cpuMs(pids: readonly number[]): number {
    return sum(pids.map((pid) => this.#entries.get(pid)?.cpuMs ?? 0));
  }

  memory(pids: readonly number[]): ProcessMemory {
    const all = pids.map((pid) => this.#memoryOf(pid));
    return {
      rssBytes: sum(all.map(({ rssBytes }) => rssBytes)),
      pssBytes: sum(all.map(({ pssBytes }) => pssBytes)),
    };
  }

  #memoryOf(pid: number): ProcessMemory {
    const known = this.#memory.get(pid) ?? readMemory(pid);
    this.#memory.set(pid, known);
    return known;
  }
}

/** Undefined for a process that ended meanwhile. */
function entryOf(pid: number): Entry | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The name may hold spaces and brackets, so the fields are counted from the last closing bracket.
  const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(text) ?? [];
  const fields = rest.split(' ');
  if (fields.length < 15) return undefined;
  // Fields 14 to 17 of proc(5): utime, stime, cutime, cstime; the first of `fields` is field 3.
  const ticks = sum(fields.slice(11, 15).map(Number));
  return { pid, name, parent: Number(fields[1]), cpuMs: (ticks * 1_000) / TICKS_PER_SECOND };
}

function readMemory(pid: number): ProcessMemory {
  const text = read(`/proc/${pid}/smaps_rollup`);
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1_024;
  return { rssBytes: bytes('Rss'), pssBytes: bytes('Pss') };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // it has ended
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
