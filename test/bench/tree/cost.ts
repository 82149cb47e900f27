/** What some work cost this process. */
export interface Cost {
  /** User and system time of all threads, those of the garbage collector and the compiler too, milliseconds. */
  readonly cpuMs: number;
  /** The part of it on the main thread: what the event loop waits for, and what a machine with idle cores would notice. */
  readonly mainCpuMs: number;
  readonly wallMs: number;
}

/** CPU time does not care who else uses the machine; wall time does. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const mainBefore = process.threadCpuUsage();
  const begun = performance.now();
  await work();
  const wallMs = performance.now() - begun;
  const main = process.threadCpuUsage(mainBefore);
  const all = process.cpuUsage(before);
  return { cpuMs: millisecondsOf(all), mainCpuMs: millisecondsOf(main), wallMs };
}

const millisecondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;
