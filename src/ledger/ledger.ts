import type { BootMoment } from '../core/bootMoment.ts';
import type { EpochLedger } from './epochLedger.ts';
import type {
  ChecksumAlgorithm,
  InitStored,
  LedgerRecord,
  MarkSeen,
  RecordingEnded,
  RecordingStarted,
  SegmentKey,
  SegmentLost,
  SegmentStored,
} from './record.ts';
import { Recorders } from './recorders.ts';
import { Silence } from './silence.ts';
import { TrackLedger, type Unsettled } from './trackLedger.ts';

export interface LedgerOptions {
  /**
   * How many of the last segments of each epoch to keep. Default: all of them (about 0.4 KB each, 17 MB for a day of 2 s
   * segments). A live recorder needs only the tail; `segments` then refuses to answer.
   */
  readonly segmentsKept?: number;
}

/**
 * What the lines of a journal add up to. Every advertised segment is either stored or named as a gap, never both: a
 * segment line for a number that was named as a gap heals the gap, a gap line never takes back what is settled, and the
 * first segment line for a key stands (a second one is counted as a duplicate). Applying a line costs a constant, whatever
 * the length of the recording.
 */
export class Ledger {
  readonly #tracks = new Map<string, TrackLedger>();
  readonly #inits = new Map<number, InitStored>();
  readonly #segmentsKept: number;
  readonly #marks: MarkSeen[] = [];
  readonly #silence = new Silence();
  #checksums: ChecksumAlgorithm = 'sha256';
  #jobId: string | undefined;
  #started: RecordingStarted | undefined;
  #ended: RecordingEnded | undefined;
  #attempts = 0;
  readonly #recorders = new Recorders();
  #stored = 0;
  #lost = 0;
  #duplicates = 0;
  #bytes = 0;

  constructor(options: LedgerOptions = {}) {
    this.#segmentsKept = options.segmentsKept ?? Number.POSITIVE_INFINITY;
  }

  apply(record: LedgerRecord): void {
    switch (record.t) {
      case 'recording':
        this.#jobId ??= record.jobId;
        this.#checksums = record.checksums ?? 'sha256';
        return;
      case 'attempt':
        this.#attempts++;
        this.#recorders.begin(record.recorder);
        this.#silence.lasts(record.at);
        return;
      case 'started':
        this.#started ??= record;
        this.#recorders.tell(this.#started.source);
        return;
      case 'epoch':
        this.#track(record.track).openEpoch(record.epoch).open(record);
        return;
      case 'init':
        if (!this.#inits.has(record.init)) this.#inits.set(record.init, record);
        return;
      case 'segment':
        this.#store(record);
        this.#silence.broken(record.at);
        return;
      case 'gap':
        this.#recorders.record();
        this.#lost += this.#track(record.track).openEpoch(record.epoch).lose(record);
        return;
      case 'mark':
        this.#mark(record);
        return;
      case 'ended':
        this.#ended = record;
        return;
    }
  }

  /** How the files of this recording are hashed. */
  get checksums(): ChecksumAlgorithm {
    return this.#checksums;
  }

  /** Ads and other marks, in the order they were seen. */
  get marks(): readonly MarkSeen[] {
    return this.#marks;
  }

  get jobId(): string | undefined {
    return this.#jobId;
  }

  /** When the first playlist was accepted, milliseconds since the epoch. */
  get startedAt(): number | undefined {
    return this.#started?.at;
  }

  /** The same on the machine's own clock. */
  get startedOn(): BootMoment | undefined {
    return this.#started?.boot;
  }

  /** What was chosen to be recorded, as the recorder told it. */
  get source(): Readonly<Record<string, unknown>> | undefined {
    return this.#started?.source;
  }

  /** The last end that a recorder saw. */
  get ended(): RecordingEnded | undefined {
    return this.#ended;
  }

  /** For how long attempts have followed each other without new media, until `now`; times in which nobody recorded count little. */
  silentMsAt(now: number): number {
    return this.#silence.msAt(now);
  }

  /** How many recorder runs wrote to this journal. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Who recorded: the names of those that stored or named anything, each once, in that order. */
  get recorders(): readonly string[] {
    return this.#recorders.names;
  }

  /** Segments the origin is known to have offered: always `stored + lost`. */
  get advertised(): number {
    return this.#stored + this.#lost;
  }

  get stored(): number {
    return this.#stored;
  }

  /** Segments named as gaps that were not healed. */
  get lost(): number {
    return this.#lost;
  }

  /** Segment lines whose key had been stored before. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Bytes of the stored segments of all tracks, initialisation sections not counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Media time stored, milliseconds: that of the longest track. */
  get durationMs(): number {
    let longest = 0;
    for (const track of this.#tracks.values()) longest = Math.max(longest, track.durationMs);
    return longest;
  }

  /** Names of the tracks, in order. */
  get tracks(): readonly string[] {
    // The default sort is by code unit: the same everywhere, as the proof's checksum needs it.
    return [...this.#tracks.keys()].sort();
  }

  /** Whether the key is settled: stored, or named as a gap. */
  has(key: SegmentKey): boolean {
    return this.#tracks.get(key.track)?.epoch(key.epoch)?.has(key.msn) ?? false;
  }

  /** Stored segments of one track, or of all (track by track), in order of epoch and sequence number. */
  segments(track?: string): readonly SegmentStored[] {
    if (this.#segmentsKept !== Number.POSITIVE_INFINITY) {
      throw new Error('this ledger keeps only tails; read the journal into a whole one');
    }
    const names = track === undefined ? this.tracks : [track];
    return names.flatMap((name) => this.#epochs(name).flatMap((epoch) => epoch.segments));
  }

  /** What is named as lost and was not healed, track by track, in order of epoch and sequence number. */
  gaps(): readonly SegmentLost[] {
    return this.tracks.flatMap((name) => this.#epochs(name).flatMap((epoch) => epoch.gaps));
  }

  lastEpoch(track: string): number | undefined {
    return this.#tracks.get(track)?.lastEpoch;
  }

  /** One past the highest number settled in the track's last epoch; undefined while that has none. */
  nextMsn(track: string): number | undefined {
    return this.#lastEpoch(track)?.nextMsn;
  }

  /** The first number advertised in the track's last epoch; undefined when the journal does not say it. */
  firstMsn(track: string): number | undefined {
    return this.#lastEpoch(track)?.first;
  }

  /** Which of the job's links the numbers of the track's last epoch are those of. */
  numbersFrom(track: string): number {
    return this.#lastEpoch(track)?.source ?? 0;
  }

  /** The lowest number settled in the track's last epoch. */
  lowestMsn(track: string): number | undefined {
    return this.#lastEpoch(track)?.lowestMsn;
  }

  /** What a recorder that died had on its way: numbers of a track that are neither stored nor named although later ones are. */
  unsettled(track: string): readonly Unsettled[] {
    return this.#tracks.get(track)?.unsettled() ?? [];
  }

  /** The last `count` stored segments of a track, across epochs, oldest first. */
  tail(track: string, count: number): readonly SegmentStored[] {
    return count > 0 ? (this.#tracks.get(track)?.tail(count) ?? []) : [];
  }

  init(number: number): InitStored | undefined {
    return this.#inits.get(number);
  }

  /** Every initialisation section, in the order it was stored. */
  get inits(): readonly InitStored[] {
    return [...this.#inits.values()];
  }

  /** A ledger that keeps only tails keeps no marks either: nobody asks a live recorder for them. */
  #mark(mark: MarkSeen): void {
    if (this.#segmentsKept === Number.POSITIVE_INFINITY) this.#marks.push(mark);
  }

  #store(segment: SegmentStored): void {
    this.#recorders.record();
    const track = this.#track(segment.track);
    const effect = track.openEpoch(segment.epoch).store(segment);
    if (effect === 'duplicate') {
      this.#duplicates++;
      return;
    }
    if (effect === 'healed') this.#lost--;
    this.#stored++;
    this.#bytes += segment.bytes;
    track.durationMs += segment.durationMs;
  }

  #track(name: string): TrackLedger {
    let track = this.#tracks.get(name);
    if (track === undefined) {
      track = new TrackLedger(this.#segmentsKept);
      this.#tracks.set(name, track);
    }
    return track;
  }

  #lastEpoch(track: string): EpochLedger | undefined {
    const epoch = this.lastEpoch(track);
    return epoch === undefined ? undefined : this.#tracks.get(track)?.epoch(epoch);
  }

  #epochs(track: string): ReturnType<TrackLedger['epochs']> {
    return this.#tracks.get(track)?.epochs() ?? [];
  }
}
