import { messageOf } from '../../core/errors.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import { PieceCutter } from './pieceCutter.ts';
import { TRACK } from './pieceLength.ts';
import { PieceStore } from './pieceStore.ts';
import type { OutputRun, ProgramOutput, ProgramOutputOptions } from './programOutput.ts';
import { ProgramRun } from './programRun.ts';
import { readTail } from './readTail.ts';
import { StoredTail } from './storedTail.ts';

/** The output of all programs of one attempt, on its way to the recording. */
export class StoredOutput implements ProgramOutput {
  readonly #options: ProgramOutputOptions;
  readonly #store: PieceStore;
  readonly #tail = new StoredTail();
  readonly #cutter: PieceCutter;
  /** When media came last, on both clocks. Absent: in an earlier life of the host, or never. */
  #lastElapsed: number | undefined;
  readonly #lastAt: number | undefined;
  #remembered: Promise<void> | undefined;
  #isRemembered = false;

  constructor(options: ProgramOutputOptions) {
    this.#options = options;
    const { ledger, clock } = options;
    this.#store = new PieceStore(options);
    this.#lastAt = ledger.tail(TRACK, 1)[0]?.at;
    const now = () => clock.now();
    this.#cutter = new PieceCutter({ store: this.#store, ledger, tail: this.#tail, now });
  }

  get advertised(): number {
    return this.#store.advertised;
  }

  get settled(): number {
    return this.#store.settled;
  }

  get recordedMs(): number {
    return this.#options.ledger.durationMs;
  }

  run(): OutputRun {
    const { signal } = this.#options;
    return new ProgramRun({
      ...{ signal, store: this.#store, tail: this.#tail, cutter: this.#cutter },
      remembered: () => this.#remember(),
      passedMs: () => this.#passedMs(),
      elapsed: () => this.#options.clock.elapsed(),
      media: () => {
        this.#lastElapsed = this.#options.clock.elapsed();
      },
    });
  }

  async finish(why: 'down' | 'over'): Promise<void> {
    const passedMs = this.#passedMs();
    if (why === 'down' && this.#cutter.hasMedia && passedMs > 0) {
      this.#cutter.nameDown({
        durationMs: passedMs,
        detail:
          'no program ran until the recording was ended; the time is that of the clock on the wall',
        estimated: true,
      });
    }
    await this.#store.settle();
    const failure = this.#store.takeFailure();
    if (failure !== undefined) throw failure.error;
  }

  /** Since media came last, milliseconds; 0 when it never did. */
  #passedMs(): number {
    const { clock } = this.#options;
    if (this.#lastElapsed !== undefined) return clock.elapsed() - this.#lastElapsed;
    return this.#lastAt === undefined ? 0 : Math.max(0, clock.now() - this.#lastAt);
  }

  /** Undefined once what was stored last is known. */
  #remember(): Promise<void> | undefined {
    if (this.#isRemembered) return undefined;
    this.#remembered ??= this.#read();
    return unlessAborted(this.#remembered, this.#options.signal);
  }

  async #read(): Promise<void> {
    const { directory, ledger, signal, log } = this.#options;
    try {
      await readTail({
        ...{ directory, ledger, signal },
        timeline: () => this.#cutter.rememberBreak(),
        unit: (unit) => this.#cutter.remember(unit),
        packets: (packets) => this.#cutter.rememberPackets(packets),
      });
    } catch (error) {
      // Without it nothing can be joined, which costs an epoch and perhaps some seconds twice, but nothing is lost.
      this.#tail.clear();
      log('What was recorded last cannot be read.', { message: messageOf(error) });
    }
    this.#isRemembered = true;
  }
}
