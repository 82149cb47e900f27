import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { readJournal } from '../ledger/journal.ts';
import { JOURNAL_FILE } from '../ledger/journalFile.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { EventFeed, ToldEvent } from './events.ts';

/** How often a live journal is looked at: one stat, and a read only where something was written. */
const LOOK_MS = 500;
/**
 * How often the index is brought after the journal. It is only an index: whoever needs to know at once follows the events.
 * All followers of a node take the same moment, so that their stretches share a transaction.
 */
const INDEX_MS = 5_000;
/** Lines kept for the index while it is away; beyond, they are read from the journal again when it is back. */
const UNINDEXED_MAX = 1_000;

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
  /** Bytes of the journal that the index has; undefined: it has to be asked. */
  #position: number | undefined;
  /** The lines from `#position` to `#offset`, while that is known. */
  #unindexed: LedgerRecord[] = [];
  #indexDueAt = 0;
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

  /** At the same moments as all others that follow: the process wakes once for all of them. */
  #schedule(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimeout(
      () => {
        void this.look().then(() => {
          if (this.#timer !== undefined) this.#schedule();
        });
      },
      LOOK_MS - (clock.elapsed() % LOOK_MS),
    );
  }

  async #look(): Promise<void> {
    const { directory, log, jobId, clock } = this.#options;
    try {
      if ((await bytesOf(directory)) !== this.#offset) await this.#readOn();
    } catch (error) {
      // The writer took back lines that were read too early (its disk failed): begin again, quietly.
      log('warn', 'the journal is read from its beginning again', {
        jobId,
        error: messageOf(error),
      });
      this.ledger = new Ledger({ segmentsKept: 0 });
      this.#offset = 0;
      this.#askForPosition();
      return;
    }
    const now = clock.elapsed();
    if (now < this.#indexDueAt) return;
    this.#indexDueAt = now - (now % INDEX_MS) + INDEX_MS;
    // Not awaited: a database that is away must not keep the journal from being read.
    this.#indexing ??= this.#index().finally(() => (this.#indexing = undefined));
  }

  async #readOn(): Promise<void> {
    const { records, offset } = await readJournal(this.#options.directory, this.#offset);
    this.#offset = offset;
    for (const record of records) {
      this.ledger.apply(record);
      if (!this.#isPast) this.#tell(record);
    }
    if (this.#position === undefined) return;
    this.#unindexed.push(...records);
    if (this.#unindexed.length > UNINDEXED_MAX) this.#askForPosition();
  }

  async #index(): Promise<void> {
    const { jobId, log } = this.#options;
    if (this.#offset === 0 || this.#offset === this.#position) return;
    try {
      if (this.#position === undefined) await this.#catchUp();
      else await this.#indexOn(this.#position);
    } catch (error) {
      this.#askForPosition();
      log('warn', 'the segment index is behind its journal', { jobId, error: messageOf(error) });
    }
  }

  /** Gives the index the lines that were read meanwhile. */
  async #indexOn(fromOffset: number): Promise<void> {
    const { index, jobId } = this.#options;
    const toOffset = this.#offset;
    const records = this.#unindexed;
    // They count as taken, since more may be read before the answer.
    this.#position = toOffset;
    this.#unindexed = [];
    const position = await index.apply({ jobId, records, fromOffset, toOffset });
    if (position !== toOffset) this.#askForPosition();
  }

  /** Reads what the index does not have from the journal. */
  async #catchUp(): Promise<void> {
    const { index, directory, jobId } = this.#options;
    const fromOffset = await index.position(jobId);
    const { records, offset: toOffset } = await readJournal(directory, fromOffset);
    const position =
      toOffset > fromOffset
        ? await index.apply({ jobId, records, fromOffset, toOffset })
        : fromOffset;
    // Where follower and index are at the same line, they go on together; else the next time finds out.
    if (position === this.#offset) this.#position = position;
  }

  #askForPosition(): void {
    this.#position = undefined;
    this.#unindexed = [];
  }

  #tell(record: LedgerRecord): void {
    const told = eventOf(record, this.#options.jobId);
    if (told) this.#options.feed.tell(told, 'at' in record ? record.at : this.#options.clock.now());
  }
}

/** Length of a journal, 0 for one that is not there. */
async function bytesOf(directory: string): Promise<number> {
  try {
    return (await stat(join(directory, JOURNAL_FILE))).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return 0;
    throw error;
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
