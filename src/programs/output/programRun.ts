import { unlessAborted } from '../../core/unlessAborted.ts';
import { invalid } from '../../recording/files/container.ts';
import { Backlog } from './backlog.ts';
import { FrameClock } from './frameClock.ts';
import type { MediaFrame, MediaUnit, UnitReader } from './mediaUnit.ts';
import { openReader, SNIFF_BYTES } from './openReader.ts';
import type { PieceCutter } from './pieceCutter.ts';
import type { PieceStore } from './pieceStore.ts';
import type { OutputRun } from './programOutput.ts';
import { RunJoiner } from './runJoiner.ts';
import type { StoredTail } from './storedTail.ts';

/**
 * Frames that follow one another so fast, and so many of them, have lost their timestamps: ffmpeg that copies gives a tick to each frame
 * whose source has jumped back, until that has caught up. What it puts out so cannot be played; another run begins anew.
 */
const SQUASHED_MS = 2;
const SQUASHED_FRAMES = 25;

export interface ProgramRunOptions {
  readonly store: PieceStore;
  readonly tail: StoredTail;
  readonly cutter: PieceCutter;
  readonly signal: AbortSignal;
  /** Undefined once what was stored last is known; else resolves then. */
  remembered(): Promise<void> | undefined;
  /** Since the last media of earlier runs, milliseconds. */
  passedMs(): number;
  /** Monotonic milliseconds. */
  elapsed(): number;
  /** New media has come. */
  media(): void;
}

/** The output of one program: read, joined to what is stored, cut. */
export class ProgramRun implements OutputRun {
  readonly #options: ProgramRunOptions;
  readonly #joiner: RunJoiner;
  /** Of this run alone. */
  readonly #clock = new FrameClock();
  #measuredMs = 0;
  #squashed = 0;
  #hadMedia = false;
  /** Since the last run's media, measured when this run's came. */
  #passedMs: number | undefined;
  readonly #backlog = new Backlog();
  #start: Buffer = Buffer.alloc(0);
  #reader: UnitReader | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ProgramRunOptions) {
    this.#options = options;
    const { tail, cutter } = options;
    this.#joiner = new RunJoiner({
      tail,
      passedMs: () => this.#passedMs ?? 0,
      isCatchingUp: () => this.#backlog.isComing(options.elapsed()),
      // What had been waiting was made while no program ran.
      joined: (join) => cutter.join(join, Math.max(0, (this.#passedMs ?? 0) - this.#backlog.ms)),
      unit: (unit) => {
        // What is stored already is none: since then nothing has come.
        options.media();
        cutter.place(unit);
      },
    });
  }

  get mediaMs(): number {
    return this.#measuredMs + this.#clock.lastLastsMs;
  }

  get hadMedia(): boolean {
    return this.#hadMedia;
  }

  write(bytes: Uint8Array): undefined | Promise<void> {
    const { signal, remembered } = this.#options;
    signal.throwIfAborted();
    const waiting = remembered();
    if (waiting !== undefined) return this.#writeAfter(waiting, Buffer.from(bytes));
    this.#feed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#throwFailure();
    return this.#room();
  }

  async end(isWhole = false): Promise<void> {
    const { cutter, store, signal, remembered } = this.#options;
    try {
      await remembered();
      // What follows nonsense is none either.
      if (this.#failure === undefined) this.#reader?.end(isWhole);
      this.#joiner.end();
      cutter.close();
      await store.settle();
    } catch (error) {
      if (signal.aborted) await cutter.abandon();
      throw error;
    }
    this.#throwFailure();
  }

  async #writeAfter(waiting: Promise<void>, bytes: Buffer): Promise<void> {
    await waiting;
    this.#feed(bytes);
    this.#throwFailure();
    await this.#room();
  }

  #feed(bytes: Buffer): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      if (this.#reader === undefined) this.#begin(bytes);
      else this.#reader.write(bytes);
    } catch (error) {
      // What it says afterwards cannot be understood either.
      this.#failure = { error };
      throw error;
    }
  }

  #begin(bytes: Buffer): void {
    const start = this.#start.length === 0 ? bytes : Buffer.concat([this.#start, bytes]);
    if (start.length < SNIFF_BYTES) {
      this.#start = Buffer.from(start);
      return;
    }
    const { tail, cutter } = this.#options;
    const [nearMs] = tail.lastStarts().values();
    const sink = {
      unit: (unit: MediaUnit) => this.#unit(unit),
      damaged: (what: string) => cutter.damaged(what),
    };
    this.#reader = openReader(start, sink, nearMs);
    this.#reader.write(start);
    this.#start = Buffer.alloc(0);
  }

  #unit(unit: MediaUnit): void {
    if (unit.streams.some(({ frames }) => frames.length > 0)) {
      this.#passedMs ??= this.#options.passedMs();
      this.#hadMedia = true;
    }
    const primary = unit.streams.find(({ key }) => key === unit.layout.primary);
    for (const frame of primary?.frames ?? []) this.#measure(frame);
    if (this.#hadMedia) this.#backlog.note(this.mediaMs, this.#options.elapsed());
    this.#joiner.take(unit);
  }

  /** Holes are media time too: a picture may stand still. */
  #measure(frame: MediaFrame): void {
    const step = this.#clock.step(frame);
    if (step === undefined) return;
    this.#measuredMs += step.lastedMs + (step.step === 'hole' ? step.holeMs : 0);
    this.#squashed = step.step === 'on' && step.lastedMs < SQUASHED_MS ? this.#squashed + 1 : 0;
    if (this.#squashed >= SQUASHED_FRAMES) {
      throw invalid(
        'its timestamps stand still, as ffmpeg writes them where those of its source jump back',
      );
    }
  }

  /** A promise while the disk or the journal has to be waited for. */
  #room(): Promise<void> | undefined {
    const { store, cutter, signal } = this.#options;
    const file = cutter.takeWaiting();
    const room = store.room();
    if (file === undefined) return room?.then(() => this.#throwFailure());
    const both = Promise.all([unlessAborted(file, signal), room]);
    return both.then(() => this.#throwFailure());
  }

  #throwFailure(): void {
    const failure = this.#options.store.takeFailure();
    if (failure !== undefined) throw failure.error;
  }
}
