import type { Finish } from '../../machines/ports.ts';

/**
 * Lets the runs of mux and upload for one job follow each other. A Big Dog that throws leaves a run behind that is still
 * winding down; its next life must not begin a second one in the same directory.
 */
export function serialFinish(finish: Finish): Finish {
  const last = new Map<string, Promise<unknown>>();
  const after = <T>(jobId: string, run: () => Promise<T>): Promise<T> => {
    const turn = (last.get(jobId) ?? Promise.resolve()).then(run, run);
    last.set(jobId, turn);
    const forget = () => {
      if (last.get(jobId) === turn) last.delete(jobId);
    };
    turn.then(forget, forget);
    return turn;
  };
  return {
    footage: (jobId) => finish.footage(jobId),
    mux: (job, signal) => after(job.id, () => finish.mux(job, signal)),
    upload: (job, signal) => after(job.id, () => finish.upload(job, signal)),
  };
}
