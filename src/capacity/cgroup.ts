import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a control group takes from the machine; absent: no limit. */
export interface CgroupLimits {
  /** Cores: quota by period. `os.availableParallelism` knows the set of CPUs, not the quota (Node 26.10). */
  readonly cores?: number;
  readonly memoryBytes?: number;
}

const ROOT = '/sys/fs/cgroup';
/** Version 1 writes "no limit" as the greatest multiple of a page below 2^63. */
const NO_LIMIT_V1 = 2 ** 60;

/**
 * The limits of the group that this process is in and of those above it, the smallest of each. Both versions, cgroups(7).
 *
 * @param root where the groups are mounted; tests have their own
 * @param membership the text of `/proc/self/cgroup`
 */
export function cgroupLimits(
  root = ROOT,
  membership = textOf('/proc/self/cgroup') ?? '',
): CgroupLimits {
  const cores: number[] = [];
  const memory: number[] = [];
  for (const line of membership.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const group of upwards(path)) {
      const at = (mount: string, file: string) => textOf(join(root, mount, group, file))?.trim();
      if (controllers === '') {
        cores.push(...quotaOf(at('', 'cpu.max')?.split(' ')));
        memory.push(...numbersOf(at('', 'memory.max')));
        continue;
      }
      if (controllers.split(',').includes('cpu')) {
        const period = at(controllers, 'cpu.cfs_period_us');
        cores.push(...quotaOf([at(controllers, 'cpu.cfs_quota_us'), period]));
      }
      if (controllers.split(',').includes('memory'))
        memory.push(...numbersOf(at(controllers, 'memory.limit_in_bytes')));
    }
  }
  return {
    ...(cores.length > 0 && { cores: Math.min(...cores) }),
    ...(memory.length > 0 && { memoryBytes: Math.min(...memory) }),
  };
}

/** The group and all above it, as paths below the mount. In a container's own namespace the path may not exist: its root does. */
function upwards(path: string): string[] {
  const groups = [path];
  for (let at = path; at !== '/'; ) {
    at = dirname(at);
    groups.push(at);
  }
  return groups;
}

/** `max` and -1 mean that there is none. */
function quotaOf(pair: readonly (string | undefined)[] = []): number[] {
  const [quota = 0, period = 0] = pair.map(Number);
  return quota > 0 && period > 0 ? [quota / period] : [];
}

function numbersOf(text: string | undefined): number[] {
  const bytes = Number(text);
  return text !== undefined && bytes > 0 && bytes < NO_LIMIT_V1 ? [bytes] : [];
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Another version of control groups, another system, or a group that is not shown to us.
    return undefined;
  }
}
