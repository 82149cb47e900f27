/** What some work cost this process. */
export interface Cost {
  /** User and system time of all threads, the garbage collector's too, milliseconds. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** CPU time does not care who else uses the machine; wall time does. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const begun = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - begun };
}
