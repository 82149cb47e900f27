import { readMachine } from '../capacity/machine.ts';
import { type CapacityLimits, NodeCapacity } from '../capacity/nodeCapacity.ts';
import type { LiveConfig } from '../config/liveConfig.ts';
import { systemClock as clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { CostStore } from '../db/costStore.ts';
import type { Database } from '../db/database.ts';
import type { HostPool } from '../hosts/hostPool.ts';
import { POLICY } from '../jobs/policy.ts';
import { freeBytes } from '../storage/freeBytes.ts';

const MIB = 1024 ** 2;

type CarriedJob = ReturnType<HostPool['carriers']>[number]['jobs'][number];

export interface CapacityParts {
  readonly live: LiveConfig;
  readonly database: Database;
  readonly hosts: HostPool;
  readonly log: Log;
}

/** What this machine can carry, measured at its recorder hosts. */
export const capacityOf = ({ live, database, hosts, log }: CapacityParts): NodeCapacity =>
  new NodeCapacity({
    limits: () => limitsOf(live.current),
    machine: readMachine(),
    records: new CostStore(database, clock.now),
    carriers: () => hosts.carriers().map(({ pid, jobs }) => ({ pid, jobs: jobs.map(carriedJob) })),
    freeBytes: () => freeBytes(live.current.dataDir),
    clock,
    log,
  });

function limitsOf({ capacity }: LiveConfig['current']): CapacityLimits {
  const {
    jobsMax = POLICY.capacity,
    cpuShare,
    memoryShare,
    diskReserveMib,
    cpuPressurePercentMax,
  } = capacity;
  const { networkBytesPerSecond, diskBytesPerSecond } = capacity;
  return {
    jobsMax,
    cpuShare,
    cpuPressureMax: cpuPressurePercentMax,
    memoryShare,
    diskReserveBytes: diskReserveMib * MIB,
    ...(networkBytesPerSecond !== undefined && { networkBytesPerSecond }),
    ...(diskBytesPerSecond !== undefined && { diskBytesPerSecond }),
  };
}

const carriedJob = ({ jobId, progress }: CarriedJob) => ({
  jobId,
  bytes: progress.bytes,
  ...(progress.program && { programCpuMs: progress.program.cpuMs }),
});
