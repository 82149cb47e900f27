import pidusage from 'pidusage';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { HostLimits } from './hostLimits.ts';
import type { HostLink } from './hostLink.ts';

/** One look above the limit may be a burst that the collector takes back at once. */
const LOOKS_ABOVE_MAX = 2;

export interface HostMemoryOptions {
  hosts(): Iterable<HostLink>;
  readonly limits: HostLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Replaces hosts that grow past their limit: a leak must cost one process, not the machine. The host leaves its recordings in
 * order, and they go on in another one from their journals.
 */
export class HostMemory {
  readonly #options: HostMemoryOptions;
  readonly #above = new Map<HostLink, number>();
  #timer: unknown;
  #isOn = false;

  constructor(options: HostMemoryOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#schedule();
  }

  stop(): void {
    this.#isOn = false;
    this.#options.clock.clearTimeout(this.#timer);
    this.#above.clear();
  }

  #schedule(): void {
    if (!this.#isOn) return;
    const { clock, limits } = this.#options;
    this.#timer = clock.setTimeout(() => {
      void this.#look().then(() => this.#schedule());
    }, limits.memoryLookEveryMs);
  }

  async #look(): Promise<void> {
    const hosts = [...this.#options.hosts()].filter((host) => host.isWelcome);
    for (const host of this.#above.keys()) if (!hosts.includes(host)) this.#above.delete(host);
    if (hosts.length === 0) return;
    try {
      const usages = await pidusage(hosts.map(({ pid }) => pid));
      for (const host of hosts) this.#judge(host, usages[host.pid]?.memory ?? 0);
    } catch (error) {
      // Between the list and the look a host may have gone; others are looked at next time.
      this.#options.log('debug', 'The memory of the hosts is not known.', {
        error: messageOf(error),
      });
    }
  }

  #judge(host: HostLink, memoryBytes: number): void {
    const { limits, log } = this.#options;
    if (memoryBytes <= limits.memoryBytesMax) {
      this.#above.delete(host);
      return;
    }
    const looks = (this.#above.get(host) ?? 0) + 1;
    this.#above.set(host, looks);
    if (looks < LOOKS_ABOVE_MAX) return;
    const { memoryBytesMax } = limits;
    log('error', 'A recorder host has grown past its limit and is replaced.', {
      hostId: host.hostId,
      memoryBytes,
      memoryBytesMax,
    });
    void host.quit('host.memory');
  }
}
