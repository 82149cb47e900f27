import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { readJournal } from '../ledger/journal.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { EventFeed, ToldEvent } from './events.ts';

/** How often a live journal is looked at. */
const LOOK_MS = 500;

/** What the follower asks of the database's index of segments. */
export interface SegmentIndex {
  /** Bytes of the journal that the index has. */
  position(jobId: string): Promise<number>;
  /** Takes in the records between two offsets, in one transaction, and answers with the index's position then. */
  apply(batch: {
    readonly jobId: string;
    readonly records: readonly LedgerRecord[];
    readonly fromOffset: number;
    readonly toOffset: number;
  }): Promise<number>;
}

export interface JournalFollowerOptions {
  readonly jobId: string;
  /** The recording's directory. */
  readonly directory: string;
  readonly index: SegmentIndex;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Reads a journal while it grows: tells what happens, and brings the database's index after it. The journal is the truth;
 * a database that is away is simply behind, and gets the rest when it is back.
 */
export class JournalFollower {
  /** What the journal says so far. */
  ledger = new Ledger({ segmentsKept: 0 });
  readonly #options: JournalFollowerOptions;
  #offset = 0;
  #isPast = true;
  #timer: unknown;
  #looking: Promise<void> = Promise.resolve();
  #indexing: Promise<void> | undefined;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
  }

  /** Takes in what is there already, without telling it again, and then follows. */
  async start(): Promise<void> {
    await this.look();
    this.#isPast = false;
    this.#schedule();
  }

  /** Looks once; looks follow each other. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Stops following, after a last look, and gives the index the chance to be complete. */
  async stop(): Promise<void> {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.look();
    await this.#indexing;
    await this.#index();
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      void this.look().then(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    const { directory, log, jobId } = this.#options;
    try {
      const { records, offset } = await readJournal(directory, this.#offset);
      this.#offset = offset;
      for (const record of records) {
        this.ledger.apply(record);
        if (!this.#isPast) this.#tell(record);
      }
      // Not awaited: a database that is away must not keep the journal from being read.
      if (offset > 0) this.#indexing ??= this.#index().finally(() => (this.#indexing = undefined));
    } catch (error) {
      // The writer took back lines that were read too early (its disk failed): begin again, quietly.
      log('warn', 'the journal is read from its beginning again', {
        jobId,
        error: messageOf(error),
      });
      this.ledger = new Ledger({ segmentsKept: 0 });
      this.#offset = 0;
    }
  }

  async #index(): Promise<void> {
    const { index, directory, jobId, log } = this.#options;
    try {
      const fromOffset = await index.position(jobId);
      const { records, offset: toOffset } = await readJournal(directory, fromOffset);
      if (toOffset > fromOffset) await index.apply({ jobId, records, fromOffset, toOffset });
    } catch (error) {
      log('warn', 'the segment index is behind its journal', { jobId, error: messageOf(error) });
    }
  }

  #tell(record: LedgerRecord): void {
    const told = eventOf(record, this.#options.jobId);
    if (told) this.#options.feed.tell(told, 'at' in record ? record.at : this.#options.clock.now());
  }
}

function eventOf(record: LedgerRecord, jobId: string): ToldEvent | undefined {
  switch (record.t) {
    case 'started':
      return { type: 'recording.started', jobId, source: record.source };
    case 'epoch':
      return { type: 'epoch.opened', jobId, epoch: record.epoch, why: record.why };
    case 'segment': {
      const { track, epoch, msn, durationMs, bytes } = record;
      return { type: 'segment.stored', jobId, track, epoch, msn, durationMs, bytes };
    }
    case 'gap': {
      const { track, epoch, msn, count, cause, detail, durationMs } = record;
      return { type: 'segment.lost', jobId, track, epoch, msn, count, cause, detail, durationMs };
    }
    case 'recording':
    case 'attempt':
    case 'init':
    case 'mark':
    case 'ended':
      return undefined;
  }
}
