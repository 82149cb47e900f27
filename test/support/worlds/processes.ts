import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A living process, as /proc tells of it. Zombies do not count. */
export interface LivingProcess {
  readonly pid: number;
  readonly parent: number;
  /** `R`, `S`, `T` (stopped), … */
  readonly state: string;
  readonly name: string;
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
}

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(join('/proc', String(pid), file), 'latin1');
  } catch {
    return ''; // it has just ended
  }
};

/** One, or none when it has ended. */
export function processOf(pid: number): LivingProcess[] {
  const stat = read(pid, 'stat');
  const [state = 'Z', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return [];
  const words = (file: string) => read(pid, file).split('\0').filter(Boolean);
  return [
    {
      pid,
      parent: Number(parent),
      state,
      name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      arguments: words('cmdline'),
      environment: words('environ'),
    },
  ];
}

export const livingProcesses = (): LivingProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)));

/** What belongs to a job's programs: its marker is in their environment. */
export const programsOf = (jobId: string): LivingProcess[] =>
  livingProcesses().filter(({ environment }) => environment.includes(`KENNEL_JOB=${jobId}`));

/** What has this word in its arguments. */
export const processesNaming = (word: string): LivingProcess[] =>
  livingProcesses().filter(
    ({ pid, arguments: words }) => pid !== process.pid && words.some((each) => each.includes(word)),
  );

/** Resident memory, bytes; 0 for a process that has ended. */
export const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(pid, 'status'))?.[1] ?? 0) * 1_024;
