/** How patient a pool is with its hosts. */
export interface HostLimits {
  readonly pingEveryMs: number;
  /** A host that says nothing for so long is killed: far above any pause of a healthy event loop, below every patience. */
  readonly hostSilentMs: number;
  /** A host that has not reported a killed recorder gone by then is killed itself. */
  readonly killAnswerMs: number;
  /** From the spawn to the first hello; a loaded machine needs two seconds to start Node. */
  readonly startWaitMs: number;
  /** A quitting host gives its recorders 5 s. */
  readonly quitWaitMs: number;
  /** How long hosts go on recording without a supervisor; the host's own default when absent. */
  readonly orphanGraceMs?: number;
  /**
   * Recorders that every living host must carry before another host is started. A host costs some 50 MB of memory before
   * its first stream, and a tenth of a core carries 64 streams of 5 Mb/s.
   */
  readonly recordersBeforeSpread: number;
  /** Resident memory above which a host is replaced, bytes. */
  readonly memoryBytesMax: number;
  readonly memoryLookEveryMs: number;
}

export const HOST_LIMITS: HostLimits = {
  pingEveryMs: 1_000,
  hostSilentMs: 5_000,
  killAnswerMs: 2_000,
  startWaitMs: 15_000,
  quitWaitMs: 7_000,
  recordersBeforeSpread: 64,
  // 500 streams take some 350 MB (`npm run bench:density`): this is three times that.
  memoryBytesMax: 1024 ** 3,
  memoryLookEveryMs: 5_000,
};
