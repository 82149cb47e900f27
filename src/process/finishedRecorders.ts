import type { Progress, RecorderExit } from '../../machines/ports.ts';

export interface UnheardExit {
  readonly attempt: number;
  readonly exit: RecorderExit;
}

/** Finished recorders whose last numbers, or unheard exits, are remembered: far above the jobs of one node. */
const FINISHED_KEPT_MAX = 1_000;

/** A map that forgets what was put into it longest ago. */
function keep<Value>(map: Map<string, Value>, jobId: string, value: Value): void {
  map.delete(jobId);
  map.set(jobId, value);
  for (const oldest of map.keys()) {
    if (map.size <= FINISHED_KEPT_MAX) return;
    map.delete(oldest);
  }
}

/** What is remembered of recorders that have exited. */
export class FinishedRecorders {
  readonly #unheard = new Map<string, UnheardExit>();
  readonly #numbers = new Map<string, Progress>();

  keepNumbers(jobId: string, progress: Progress): void {
    keep(this.#numbers, jobId, progress);
  }

  numbers(jobId: string): Progress | undefined {
    return this.#numbers.get(jobId);
  }

  keepUnheard(jobId: string, unheard: UnheardExit): void {
    keep(this.#unheard, jobId, unheard);
  }

  unheard(jobId: string): UnheardExit | undefined {
    return this.#unheard.get(jobId);
  }

  heard(jobId: string): void {
    this.#unheard.delete(jobId);
  }

  /** The job has a new recorder: what the last one did is over. */
  forget(jobId: string): void {
    this.#unheard.delete(jobId);
    this.#numbers.delete(jobId);
  }
}
