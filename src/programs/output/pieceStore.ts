import path from 'node:path';
import { isKennelError, KennelError } from '../../core/errors.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import type {
  ChecksumAlgorithm,
  LedgerRecord,
  SegmentLost,
  SegmentStored,
} from '../../ledger/record.ts';
import { checksumsOf } from '../../recording/checksumsOf.ts';
import { MediaDirectories } from '../../recording/files/mediaDirectories.ts';
import { segmentFile } from '../../recording/files/mediaFiles.ts';
import { InitStore } from './initStore.ts';
import { PieceFile } from './pieceFile.ts';
import { PIECE_MS, TRACK } from './pieceLength.ts';
import type { ProgramOutputOptions } from './programOutput.ts';

/** Pieces and gaps whose lines are not durable yet: with more the program waits. At 4 s each, as much as a slow disk may fall behind. */
const UNSETTLED_MAX = 6;

/** What is known of a piece when it begins. */
export interface PieceStart {
  readonly epoch: number;
  readonly msn: number;
  readonly discontinuity: number;
  readonly container: 'ts' | 'fmp4';
  /** Initialisation section of MP4. */
  readonly head: Buffer | undefined;
}

/** A piece that is being written. */
export interface OpenPiece extends PieceStart {
  readonly wallClock: number;
  readonly file: PieceFile;
}

/** What is named as lost; the rest of its line is known here. */
type Loss = Omit<SegmentLost, 't' | 'track' | 'at'>;

/** How many numbers a stretch of time takes that nothing is known of. */
export const piecesIn = (durationMs: number): number =>
  Math.max(1, Math.round(durationMs / PIECE_MS));

/** Stores pieces and names losses, in order: the file first, then its line; a number's line only after those before it. */
export class PieceStore {
  readonly #options: ProgramOutputOptions;
  readonly #directories: MediaDirectories;
  readonly #inits: InitStore;
  /** Lines are written one after the other. */
  #order: Promise<void> = Promise.resolve();
  #begun: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #broken: { readonly error: unknown } | undefined;
  #unsettled = 0;
  #wake: (() => void)[] = [];
  /** The directory that pieces went to last, while that works. */
  #directory: string | undefined;
  #advertised = 0;
  #settled = 0;

  constructor(options: ProgramOutputOptions) {
    this.#options = options;
    this.#directories = new MediaDirectories(options.directory);
    const { ledger, writer, attempt } = options;
    const checksums = () => this.#checksums;
    this.#inits = new InitStore({
      ledger,
      writer,
      attempt,
      checksums,
      directories: this.#directories,
    });
  }

  get advertised(): number {
    return this.#advertised;
  }

  get settled(): number {
    return this.#settled;
  }

  open(start: PieceStart): OpenPiece {
    this.#advertised++;
    const { attempt, clock } = this.#options;
    const key = { track: TRACK, epoch: start.epoch, msn: start.msn };
    const name = segmentFile(key, start.container === 'ts' ? 'ts' : 'm4s', attempt);
    const file = new PieceFile({
      ...{ directories: this.#directories, file: name, checksums: this.#checksums },
      isDirectoryMade: path.dirname(name) === this.#directory,
    });
    return { ...start, wallClock: clock.now(), file };
  }

  /** The piece is over, and stored; where that fails, named as lost. */
  close(piece: OpenPiece, durationMs: number): void {
    const finished = piece.file.finish();
    finished.catch(() => undefined);
    this.#enqueue(async () => {
      await this.#begin().catch(async (error: unknown) => {
        await piece.file.abandon();
        throw error;
      });
      try {
        const { bytes, checksum } = await unlessAborted(finished, this.#options.signal);
        const init =
          piece.head &&
          (await unlessAborted(this.#inits.numberOf(piece.head), this.#options.signal));
        const { epoch, msn, discontinuity, container, wallClock, file } = piece;
        this.#directory = path.dirname(file.file);
        const line: SegmentStored = {
          ...{ t: 'segment', track: TRACK, epoch, msn, at: this.#options.clock.now() },
          ...{ durationMs: toMicroseconds(durationMs), bytes, checksum, file: file.file },
          ...{ container, discontinuity, wallClock, ...(init !== undefined && { init }) },
        };
        this.#write(line, path.dirname(this.#directories.pathOf(file.file)), 1);
      } catch (error) {
        if (!isKennelError(error)) throw error;
        this.#fail(error);
        const { epoch, msn } = piece;
        this.#write(
          this.#lossLine({
            epoch,
            msn,
            count: 1,
            cause: 'disk',
            detail: error.message,
            durationMs,
          }),
          undefined,
          1,
        );
      }
    });
  }

  lose(loss: Loss): void {
    this.#advertised += loss.count;
    this.#enqueue(async () => {
      await this.#begin();
      this.#write(this.#lossLine(loss), undefined, loss.count);
    });
  }

  /** A line that settles nothing. */
  note(record: LedgerRecord): void {
    this.#enqueue(async () => {
      await this.#begin();
      this.#write(record, undefined, 0);
    });
  }

  /** What failed since it was asked last. */
  takeFailure(): { readonly error: unknown } | undefined {
    const failure = this.#broken ?? this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Undefined while there is room for more; else resolves once there is. Rejects with the signal's reason. */
  room(): Promise<void> | undefined {
    if (this.#unsettled < UNSETTLED_MAX) return undefined;
    return unlessAborted(
      this.#until(() => this.#unsettled < UNSETTLED_MAX),
      this.#options.signal,
    );
  }

  /** Resolves once all lines are durable. Rejects with the signal's reason. */
  async settle(): Promise<void> {
    await unlessAborted(
      this.#until(() => this.#unsettled === 0),
      this.#options.signal,
    );
  }

  get #checksums(): ChecksumAlgorithm {
    return checksumsOf(this.#options.ledger);
  }

  #lossLine(loss: Loss): SegmentLost {
    const durationMs = toMicroseconds(loss.durationMs);
    return { t: 'gap', track: TRACK, at: this.#options.clock.now(), ...loss, durationMs };
  }

  #begin(): Promise<void> {
    this.#begun ??= this.#options.begun();
    return unlessAborted(this.#begun, this.#options.signal);
  }

  #enqueue(job: () => Promise<void>): void {
    this.#unsettled++;
    this.#order = this.#order.then(async () => {
      try {
        if (this.#broken !== undefined) throw this.#broken.error;
        await job();
      } catch (error) {
        // A number without a line must have none after it.
        this.#broken ??= { error };
      } finally {
        this.#release();
      }
    });
  }

  #write(record: LedgerRecord, directory: string | undefined, count: number): void {
    this.#unsettled++;
    void this.#options.writer.write(record, directory).then((isDurable) => {
      if (isDurable) this.#settled += count;
      else
        this.#broken ??= {
          error: new KennelError('disk.failed', 'the journal is not written any more'),
        };
      this.#release();
    });
  }

  #release(): void {
    this.#unsettled--;
    for (const wake of this.#wake.splice(0)) wake();
  }

  #fail(error: unknown): void {
    this.#options.log('A piece of the output could not be stored.', {
      message: isKennelError(error) ? error.message : '',
    });
    this.#failure ??= { error };
    this.#directory = undefined;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}

/** Sums of thirds of milliseconds look odd in a journal. */
const toMicroseconds = (ms: number): number => Math.round(ms * 1_000) / 1_000;
