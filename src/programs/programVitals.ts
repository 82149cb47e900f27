import { readFileSync } from 'node:fs';
import { programPidOf } from '../cage/programPid.ts';
import type { Clock } from '../core/clock.ts';
import type { ProcessStat } from '../process/procfs.ts';
import { insideOf, isFrozen } from '../process/programParties.ts';
import type { ProgramProcesses } from '../process/programProcesses.ts';
import { type MuxSign, muxSign } from './muxSigns.ts';
import type { Exceeded, ProgramLimitWatch } from './programLimitWatch.ts';
import { lookIntoDirectory } from './workDirectory.ts';

export interface ProgramVitalsOptions {
  readonly processes: ProgramProcesses;
  readonly leader: number;
  readonly workDirectory: string;
  readonly limits: ProgramLimitWatch;
  readonly clock: Clock;
}

/** How one program is, looked at about once a second. */
export class ProgramVitals {
  readonly #options: ProgramVitalsOptions;
  #files: readonly string[] = [];
  #saysMuxing = false;
  #cpuMs = 0;
  #residentBytesPeak = 0;
  #isFrozen = false;
  #stray: MuxSign | undefined;

  constructor(options: ProgramVitalsOptions) {
    this.#options = options;
  }

  /** Of it and all that it started, milliseconds. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  get residentBytesPeak(): number {
    return this.#residentBytesPeak;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** The first that was seen: it stays, whatever becomes of the file. */
  get stray(): MuxSign | undefined {
    return this.#stray;
  }

  /** The program said that it muxes. */
  hearMuxing(): void {
    this.#saysMuxing = true;
  }

  /** Resolves with the limit that is exceeded. */
  async look(): Promise<Exceeded | undefined> {
    const { processes, leader, workDirectory, limits, clock } = this.#options;
    const tree = await processes.look();
    const program = await programPidOf(leader);
    const inside = insideOf(tree.processes, program);
    this.#cpuMs = tree.cpuMs;
    this.#residentBytesPeak = Math.max(this.#residentBytesPeak, tree.residentBytes);
    this.#isFrozen = isFrozen(inside);
    const { files, bytes } = await lookIntoDirectory(workDirectory);
    const started = inside.filter(({ pid }) => pid !== program);
    this.#stray ??= muxSign({
      files,
      filesBefore: this.#files,
      commandLines: started.map(({ pid }) => commandLineOf(pid)),
      saysMuxing: this.#saysMuxing,
    });
    this.#files = files;
    return limits.look({
      elapsedMs: clock.elapsed(),
      cpuMs: tree.cpuMs,
      residentBytes: tree.residentBytes,
      processes: threadsOf(program === undefined ? tree.processes : inside),
      fileBytes: bytes,
    });
  }
}

/** As the kernel counts them (RLIMIT_NPROC). */
const threadsOf = (processes: readonly ProcessStat[]): number =>
  processes.reduce((sum, { threads }) => sum + threads, 0);

/** Empty for a process that is gone. */
function commandLineOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
