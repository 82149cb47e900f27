import type { Finish } from '../../machines/ports.ts';

/**
 * A finish that is loaded when the first recording is over: while a node only records, what joins and stores files would
 * take a quarter of its memory. When it cannot be loaded, that is the failure of what was asked, and the next try loads anew.
 */
export function lazyFinish(load: () => Promise<Finish>): Finish {
  let loading: Promise<Finish> | undefined;
  const loaded = (): Promise<Finish> => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  return {
    footage: async (jobId) => await (await loaded()).footage(jobId),
    mux: async (job, signal) => await (await loaded()).mux(job, signal),
    upload: async (job, signal) => await (await loaded()).upload(job, signal),
  };
}
