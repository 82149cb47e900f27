import type { JobSpec } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import { isKennelError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Windows } from './queueKeeper.ts';
import type { QueuedJob, QueueRecords } from './queueRecords.ts';
import { nextBegin, nextBegins, PREVIEW_MAX } from './recurrence.ts';
import type { Schedule, ScheduleRecords } from './scheduleRecords.ts';

/** What is told of a schedule, for the log of events. */
export interface ScheduleEvent {
  readonly tenantId: string;
  readonly type: 'schedule.skipped';
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface OpenWindowsParts {
  readonly schedules: ScheduleRecords;
  readonly records: Pick<QueueRecords, 'enqueue'>;
  readonly clock: Clock;
  readonly log: Log;
  newId(): string;
  /** What a spec's source and its cost are known by. */
  keysOf(spec: JobSpec): Pick<QueuedJob, 'sourceKey' | 'costKey'>;
  tell(event: ScheduleEvent): Promise<void>;
}

/**
 * Makes jobs of windows. One that began while the service was down is recorded for its rest; those that are over are skipped, and
 * that is told. A window is one job, also where two nodes make it, or this one dies between making it and going on.
 */
export class OpenWindows implements Windows {
  readonly #parts: OpenWindowsParts;

  constructor(parts: OpenWindowsParts) {
    this.#parts = parts;
  }

  async open(now: number): Promise<void> {
    for (const schedule of await this.#parts.schedules.due(now)) {
      try {
        await this.#openOne(schedule, now);
      } catch (error) {
        if (isKennelError(error) && error.code === 'database.unavailable') throw error;
        const fields = { scheduleId: schedule.id, error: messageOf(error) };
        this.#parts.log('error', 'the window of a schedule could not be opened', fields);
      }
    }
  }

  async nextMoment(): Promise<number | undefined> {
    return await this.#parts.schedules.nextMoment();
  }

  async #openOne(schedule: Schedule, now: number): Promise<void> {
    const { id, nextAt, windowMs } = schedule;
    if (nextAt === undefined) return;
    // The first that is still open; it may be the one that begins next.
    const firstOpen =
      nextAt + windowMs > now ? nextAt : nextBegin(schedule, Math.max(nextAt, now - windowMs));
    if (firstOpen !== nextAt) await this.#skip(schedule, 'over', { from: nextAt, to: firstOpen });
    let begin = firstOpen;
    while (begin !== undefined && begin <= now) {
      if (!(await this.#enqueue(schedule, begin))) break;
      begin = nextBegin(schedule, begin);
    }
    await this.#parts.schedules.advance(id, nextAt, begin);
  }

  /** False when the queue is full: the window is asked for again for as long as it is open. */
  async #enqueue(schedule: Schedule, begin: number): Promise<boolean> {
    const { records, newId, keysOf } = this.#parts;
    const { id: scheduleId, tenantId, keyId, windowMs, terms } = schedule;
    const endAt = begin + windowMs;
    const spec = { ...schedule.spec, endAt };
    try {
      await records.enqueue({
        id: newId(),
        tenantId,
        ...(keyId !== undefined && { keyId }),
        scheduleId,
        spec,
        ...keysOf(spec),
        // After its end there is nothing left to wait for.
        terms: { ...terms, startAt: begin, expiresAt: Math.min(endAt, terms.expiresAt ?? endAt) },
      });
      return true;
    } catch (error) {
      const code = isKennelError(error) ? error.code : undefined;
      if (code === 'tenant.full') return false;
      if (!isKennelError(error) || code !== 'job.duplicate') throw error;
      await this.#skip(schedule, 'duplicate', { from: begin, ...error.details });
      return true;
    }
  }

  /** `from` is the first window that is skipped, `to` the first that is not. */
  async #skip(
    schedule: Schedule,
    why: 'over' | 'duplicate',
    facts: { readonly from: number; readonly to?: number | undefined },
  ): Promise<void> {
    const { clock, log, tell } = this.#parts;
    const { id: scheduleId, tenantId, name } = schedule;
    const { from, to = clock.now() } = facts;
    // Counted up to what a preview shows: who was away for a year wants no number of minutes.
    const others = nextBegins(schedule, from, PREVIEW_MAX).filter((at) => at < to).length;
    const windows = why === 'over' ? 1 + others : 1;
    const data = { scheduleId, name, why, windows, ...facts };
    log('warn', 'windows of a schedule are skipped', data);
    await tell({ tenantId, type: 'schedule.skipped', at: clock.now(), data });
  }
}
