import type { Leash } from '../../machines/ports.ts';
import { DEFAULT_TENANT } from '../core/access.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import { DiskForecast, type DiskLevel, type DiskOutlook } from './diskForecast.ts';
import type { EventLog } from './eventLog.ts';
import type { EventFeed } from './events.ts';

const LOOK_EVERY_MS = 2_000;

export interface DiskWatchOptions {
  /** Free bytes on the disk of the recordings. */
  freeBytes(): Promise<number>;
  activeJobs(): readonly string[];
  readonly leash: Pick<Leash, 'progress'>;
  readonly feed: EventFeed;
  /** Where a change is told once, for the whole node. */
  readonly eventLog?: Pick<EventLog, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells every job on this node before the disk is full, while there is still time to do something about it. */
export class DiskWatch implements Service {
  readonly #options: DiskWatchOptions;
  readonly #forecast = new DiskForecast();
  #level: DiskLevel = 'good';
  #outlook: DiskOutlook | undefined;
  #timer: unknown;
  #isOn = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** The last look; undefined before the first. */
  get outlook(): DiskOutlook | undefined {
    return this.#outlook;
  }

  async start(): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    await this.look();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    this.#options.clock.clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    const { clock, log, leash } = this.#options;
    const jobs = this.#options.activeJobs();
    const receivedBytes = jobs.reduce((sum, jobId) => sum + leash.progress(jobId).bytes, 0);
    try {
      const freeBytes = await this.#options.freeBytes();
      this.#outlook = this.#forecast.add({ at: clock.elapsed(), freeBytes, receivedBytes });
    } catch (error) {
      log('warn', 'the free space cannot be asked for', { error: messageOf(error) });
      return;
    }
    if (this.#outlook.level === this.#level) return;
    this.#level = this.#outlook.level;
    this.#tell(jobs, this.#outlook);
  }

  #schedule(): void {
    if (!this.#isOn) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      void this.look().then(() => this.#schedule());
    }, LOOK_EVERY_MS);
  }

  #tell(jobs: readonly string[], outlook: DiskOutlook): void {
    const { clock, feed, log } = this.#options;
    log(outlook.level === 'good' ? 'info' : 'warn', 'the outlook of the disk has changed', {
      ...outlook,
    });
    for (const jobId of jobs) feed.tell({ type: 'disk.outlook', jobId, ...outlook }, clock.now());
    this.#options.eventLog
      ?.append({
        tenantId: DEFAULT_TENANT,
        type: 'disk.outlook',
        at: clock.now(),
        data: { ...outlook },
      })
      .catch((error: unknown) => {
        log('warn', 'the outlook of the disk could not be told', { error: messageOf(error) });
      });
  }
}
