import { closeSync, openSync, readlinkSync } from 'node:fs';
import type { CagePlan } from './cagePlan.ts';

/**
 * A network namespace that lasts as long as this process keeps it open, however many processes are in it: nobody has to stay
 * in it, and no reused pid can ever be taken for it.
 */
export interface HeldNetwork {
  /** Paths for `nsenter --net=` and `--user=`; they are good for all processes of this user. */
  readonly net: string;
  readonly user: string;
  close(): void;
}

/** What runs its command in a new network that has nothing but a loopback, and dies with this process. */
export const newNetworkArguments = (plan: CagePlan): string[] => [
  ...(plan.isRoots ? [] : ['--unshare-user']),
  ...['--unshare-net', '--cap-drop', 'ALL', '--die-with-parent', '--dev-bind', '/', '/', '--'],
];

/** Takes hold of the network that a process is in. Throws when that is this process's own. */
export function holdNetwork(pid: number): HeldNetwork {
  const net = openSync(`/proc/${pid}/ns/net`, 'r');
  try {
    const path = `/proc/${process.pid}/fd/${net}`;
    if (readlinkSync(path) === readlinkSync('/proc/self/ns/net')) {
      throw new Error('bubblewrap made no network of its own');
    }
    const user = openSync(`/proc/${pid}/ns/user`, 'r');
    let isOpen = true;
    return {
      net: path,
      user: `/proc/${process.pid}/fd/${user}`,
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        closeSync(net);
        closeSync(user);
      },
    };
  } catch (error) {
    closeSync(net);
    throw error;
  }
}
