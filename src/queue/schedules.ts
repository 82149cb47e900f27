import type { JobSpec } from '../../machines/vocabulary.ts';
import { mayDo, maySee, type Principal } from '../core/access.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { QueueTerms } from '../core/queueTerms.ts';
import { nextBegin, nextBegins, windowsOverlap } from './recurrence.ts';
import type { Schedule, ScheduleRecords } from './scheduleRecords.ts';

/** Shorter windows record nothing that anybody could want, milliseconds. */
const WINDOW_SHORTEST_MS = 1_000;
/** Longer ones are no windows, milliseconds: 31 days. */
const WINDOW_LONGEST_MS = 31 * 24 * 3_600_000;

/** What somebody asks for. */
export interface ScheduleRequest {
  readonly name: string;
  readonly cron: string;
  /** Default: `UTC`. */
  readonly timeZone?: string;
  readonly windowMs: number;
  readonly spec: JobSpec;
  /** Its times (`startAt`, `expiresAt`) are the window's own: they may not be given. */
  readonly terms?: QueueTerms;
  /** Default: true. */
  readonly enabled?: boolean;
}

export interface SchedulesParts {
  readonly records: ScheduleRecords;
  readonly clock: Clock;
  newId(): string;
  /** Something has changed that the queue waits for. */
  poke(): void;
}

/** Recordings that come again, as their owners see them. Others' schedules are unknown: `schedule.notFound`. */
export class Schedules {
  readonly #parts: SchedulesParts;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
  }

  /** The first window is the next that begins. Throws `usage.invalid`, `access.forbidden`. */
  async create(who: Principal, request: ScheduleRequest): Promise<Schedule> {
    assertMayWrite(who);
    const { records, clock, newId, poke } = this.#parts;
    const now = clock.now();
    const { tenantId, keyId } = who;
    const identity = { id: newId(), tenantId, ...(keyId !== undefined && { keyId }) };
    const schedule = { ...identity, ...fieldsOf(request, now), createdAt: now };
    await records.create(schedule);
    poke();
    return schedule;
  }

  async list(who: Principal): Promise<readonly Schedule[]> {
    const { records } = this.#parts;
    assertMayRead(who);
    return await records.list(who.scopes.includes('admin') ? undefined : who.tenantId);
  }

  async get(who: Principal, id: string): Promise<Schedule> {
    assertMayRead(who);
    return await this.#seen(who, id);
  }

  /** What is absent stays. Windows that have become jobs go on as they are. */
  async change(who: Principal, id: string, changes: Partial<ScheduleRequest>): Promise<Schedule> {
    assertMayWrite(who);
    const { records, clock, poke } = this.#parts;
    const before = await this.#seen(who, id);
    const fields = fieldsOf({ ...before, ...changes }, clock.now());
    await records.change(id, fields);
    poke();
    const { tenantId, keyId, createdAt } = before;
    return { id, tenantId, ...(keyId !== undefined && { keyId }), createdAt, ...fields };
  }

  async remove(who: Principal, id: string): Promise<void> {
    assertMayWrite(who);
    await this.#seen(who, id);
    await this.#parts.records.remove(id);
  }

  /** The next windows, whether it is enabled or not; a hundred at most. */
  async preview(
    who: Principal,
    id: string,
    count: number,
  ): Promise<readonly { readonly startAt: number; readonly endAt: number }[]> {
    const schedule = await this.get(who, id);
    const begins = nextBegins(schedule, this.#parts.clock.now(), count);
    return begins.map((startAt) => ({ startAt, endAt: startAt + schedule.windowMs }));
  }

  async #seen(who: Principal, id: string): Promise<Schedule> {
    const schedule = await this.#parts.records.get(id);
    if (maySee(who, schedule.tenantId)) return schedule;
    throw scheduleNotFound(id);
  }
}

const scheduleNotFound = (id: string) =>
  new KennelError('schedule.notFound', `there is no schedule ${id}`, { details: { id } });

function fieldsOf(request: ScheduleRequest, now: number) {
  const { name, cron, timeZone = 'UTC', windowMs, spec, terms = {}, enabled = true } = request;
  if (name.trim() === '') throw new KennelError('usage.invalid', 'A schedule needs a name.');
  if (!(windowMs >= WINDOW_SHORTEST_MS && windowMs <= WINDOW_LONGEST_MS))
    throw new KennelError('usage.invalid', 'A window lasts from a second to 31 days.');
  if (terms.startAt !== undefined || terms.expiresAt !== undefined)
    throw new KennelError(
      'usage.invalid',
      'When a window begins and expires is said by the schedule.',
    );
  if (!spec.output.endsWith('/'))
    throw new KennelError(
      'usage.invalid',
      'Windows would overwrite each other: give a directory, with a slash at its end, for the output.',
    );
  const recurrence = { cron, timeZone };
  if (windowsOverlap(recurrence, windowMs, now) && terms.isDuplicateWanted !== true)
    throw new KennelError(
      'usage.invalid',
      'A window would still be open when the next one begins; make it shorter, or ask for duplicates.',
    );
  const nextAt = enabled ? nextBegin(recurrence, now) : undefined;
  return {
    ...recurrence,
    name,
    windowMs,
    spec,
    terms,
    enabled,
    ...(nextAt !== undefined && { nextAt }),
    updatedAt: now,
  };
}

function assertMayWrite(who: Principal): void {
  if (mayDo(who, 'jobs.write')) return;
  throw new KennelError(
    'access.forbidden',
    'Schedules are made and changed with the scope jobs.write.',
  );
}

function assertMayRead(who: Principal): void {
  if (mayDo(who, 'jobs.read')) return;
  throw new KennelError('access.forbidden', 'Schedules are seen with the scope jobs.read.');
}
