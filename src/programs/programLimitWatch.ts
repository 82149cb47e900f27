import type { ProgramLimits } from './programSettings.ts';

/** How long the CPU of a program is averaged, milliseconds: the start of yt-dlp takes a core for some seconds, and that is no harm. */
const CPU_WINDOW_MS = 30_000;
const LOG_WINDOW_MS = 60_000;
/** Memory above its limit counts when it stays: a peak that is over by the next look is none. */
const MEMORY_LOOKS = 2;

/** Which limit was exceeded, and by what. */
export interface Exceeded {
  readonly limit: keyof ProgramLimits;
  readonly value: number;
  readonly max: number;
}

export interface ResourceLook {
  /** Monotonic milliseconds. */
  readonly elapsedMs: number;
  /** CPU time so far, milliseconds. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** Of it and all that it started: processes, each of their threads counted. */
  readonly processes: number;
  /** All that is in its work directory. */
  readonly fileBytes: number;
}

/** Holds one program to its limits. It reads no clock and ends nobody: it says what is exceeded. */
export class ProgramLimitWatch {
  readonly #limits: ProgramLimits;
  /** Looks of the last half a minute, and one that is older. */
  #looks: ResourceLook[] = [];
  #looksAboveMemory = 0;
  #logSinceMs: number | undefined;
  #logBytes = 0;

  constructor(limits: ProgramLimits) {
    this.#limits = limits;
  }

  /** What was found out now; called about once a second. */
  look(now: ResourceLook): Exceeded | undefined {
    const { memoryBytesMax, fileBytesMax, processesMax } = this.#limits;
    if (now.processes > processesMax) {
      return { limit: 'processesMax', value: now.processes, max: processesMax };
    }
    const isAbove = now.residentBytes > memoryBytesMax;
    this.#looksAboveMemory = isAbove ? this.#looksAboveMemory + 1 : 0;
    if (this.#looksAboveMemory >= MEMORY_LOOKS) {
      return { limit: 'memoryBytesMax', value: now.residentBytes, max: memoryBytesMax };
    }
    if (now.fileBytes > fileBytesMax) {
      return { limit: 'fileBytesMax', value: now.fileBytes, max: fileBytesMax };
    }
    return this.#cores(now);
  }

  /** So many bytes were written to its standard error. */
  said(bytes: number, elapsedMs: number): Exceeded | undefined {
    if (this.#logSinceMs === undefined || elapsedMs - this.#logSinceMs >= LOG_WINDOW_MS) {
      this.#logSinceMs = elapsedMs;
      this.#logBytes = 0;
    }
    this.#logBytes += bytes;
    const { logBytesPerMinuteMax: max } = this.#limits;
    if (this.#logBytes <= max) return undefined;
    return { limit: 'logBytesPerMinuteMax', value: this.#logBytes, max };
  }

  #cores(now: ResourceLook): Exceeded | undefined {
    const windowMs = (look: ResourceLook | undefined) =>
      look === undefined ? 0 : now.elapsedMs - look.elapsedMs;
    while (windowMs(this.#looks[1]) >= CPU_WINDOW_MS) this.#looks.shift();
    this.#looks.push(now);
    const [oldest] = this.#looks;
    if (oldest === undefined || windowMs(oldest) < CPU_WINDOW_MS) return undefined;
    const value = (now.cpuMs - oldest.cpuMs) / windowMs(oldest);
    const { coresMax: max } = this.#limits;
    return value > max ? { limit: 'coresMax', value, max } : undefined;
  }
}
