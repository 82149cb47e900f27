/** A place in the log of events: opaque for readers (`<transaction>-<id>`), ordered. */
export type EventPlace = string;

/** An event of the log, as streams and webhooks tell it. */
export interface LoggedEvent {
  readonly place: EventPlace;
  readonly tenantId: string;
  /** Absent for what concerns the whole node. */
  readonly jobId?: string;
  /** `job.submitted`, `job.moved`, `job.decided`, `segment.lost`, `disk.outlook`, … */
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  /** Absent: of all tenants. */
  readonly tenantId?: string;
  readonly jobId?: string;
  /** Types, with `*` at the end for anything; absent or empty: all. */
  readonly types?: readonly string[];
}

/** The persisted log of events. */
export interface EventLog {
  /**
   * The place from which on nothing is missed that is committed after now. What was committed while other transactions were
   * running may be read again from there.
   */
  end(): Promise<EventPlace>;
  /**
   * Events after a place, in order, `limit` at most. Throws `event.gone` when the log no longer reaches back so far (`0-0` is
   * the beginning of the first event ever), `request.invalid` for what is no place.
   */
  after(place: EventPlace, filter: EventFilter, limit: number): Promise<readonly LoggedEvent[]>;
  /** Adds an event that nothing else commits: an alert. */
  append(event: Omit<LoggedEvent, 'place'>): Promise<void>;
  /** Something was committed that triggers told of: whoever listens need not wait for the next look at the log. */
  ring(): void;
  /** Calls back soon after something may have been added (in this process, or told by the database); returns how to stop. */
  onAdded(listener: () => void): () => void;
}
