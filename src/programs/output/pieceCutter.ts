import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentKey, SegmentLost } from '../../ledger/record.ts';
import { FrameClock, type Step } from './frameClock.ts';
import { HoleWatch } from './holeWatch.ts';
import type { MediaFrame, MediaUnit } from './mediaUnit.ts';
import type { RunJoin } from './overlap.ts';
import {
  FIRST_PIECE_MS_MIN,
  PIECE_BYTES_MAX,
  PIECE_MS_MAX,
  PIECE_MS_MIN,
  TRACK,
} from './pieceLength.ts';
import { type OpenPiece, type PieceStore, piecesIn } from './pieceStore.ts';
import type { StoredTail } from './storedTail.ts';
import { TsContinuity } from './tsContinuity.ts';

/** Picture and sound of one programme end so far apart where it is cut off: that says nothing. Milliseconds. */
const SPREAD_MS = 1_000;

interface CuttingPiece {
  readonly piece: OpenPiece;
  bytes: number;
  /** Of the frames before the last one. */
  lastedMs: number;
  /** What all streams span, for pieces without a frame of the main one. */
  firstMs: number | undefined;
  lastMs: number;
}

export interface CutterOptions {
  readonly store: PieceStore;
  readonly ledger: Ledger;
  readonly tail: StoredTail;
  now(): number;
}

/** Cuts what is new into pieces, and keeps the account of their timestamps: numbers, holes, breaks. It outlives runs. */
export class PieceCutter {
  readonly #options: CutterOptions;
  readonly #clock = new FrameClock();
  readonly #watch: HoleWatch;
  readonly #continuity = new TsContinuity();
  #open: CuttingPiece | undefined;
  #epoch: number | undefined;
  #msn = 0;
  /** The piece that is open, or comes next, is the first one of its run; what a hole ended at once, or sound before the picture, is none. */
  #isFirstPiece = true;
  #discontinuity: number;
  /** Whether there is media on an earlier clock, so that a new one is a break. */
  #hasMedia: boolean;
  #signature: string | undefined;
  #damage: string | undefined;
  /** The next frame is the first one of a run that goes on later. */
  #isLater = false;
  /** How far the sound of the runs before it reaches then. */
  #soundEndMs = 0;
  #waiting: Promise<void> | undefined;

  constructor(options: CutterOptions) {
    this.#options = options;
    this.#watch = new HoleWatch({
      clock: this.#clock,
      place: (unit, isMissing) => this.#place(unit, isMissing),
    });
    const { ledger } = options;
    this.#epoch = ledger.lastEpoch(TRACK);
    this.#msn = ledger.nextMsn(TRACK) ?? ledger.firstMsn(TRACK) ?? 0;
    const [last] = ledger.tail(TRACK, 1);
    this.#discontinuity = last?.discontinuity ?? 0;
    this.#hasMedia = last !== undefined;
  }

  get hasMedia(): boolean {
    return this.#hasMedia;
  }

  /** What is stored already, read again: the account goes on from there. */
  remember(unit: MediaUnit): void {
    this.#signature = unit.layout.signature;
    this.#options.tail.add(unit);
    this.#watch.learn(unit);
    for (const frame of primaryFrames(unit)) this.#clock.step(frame);
  }

  /** What is read next lies on another timeline. */
  rememberBreak(): void {
    this.#clock.reset();
    this.#watch.reset();
    this.#options.tail.begin();
  }

  /** Bytes of MPEG-TS that are stored already, whole packets. */
  rememberPackets(packets: Buffer): void {
    this.#continuity.learn(packets);
  }

  /** A new run begins. `missedMs`: for how long nothing was recorded, by the clock on the wall. */
  join(join: RunJoin | { readonly how: 'first' }, missedMs: number): void {
    this.#isFirstPiece = true;
    if (join.how === 'overlaps') {
      if (join.shiftMs === 0) return;
      this.#discontinuity++;
      this.#clock.shift(join.shiftMs);
      this.#options.tail.shift(join.shiftMs);
    } else if (join.how === 'later') {
      this.#isLater = true;
      this.#soundEndMs = this.#watch.soundEndMs;
    } else if (this.#hasMedia) {
      this.nameDown({
        durationMs: missedMs,
        detail:
          'another timeline began afterwards; the time is that of the clock on the wall, without what the next program caught up with',
        estimated: true,
      });
      this.#epoch = (this.#epoch ?? 0) + 1;
      this.#msn = 0;
      this.#note('program');
      this.#clock.reset();
      this.#break();
    }
  }

  /** Names time in which no program ran. */
  nameDown(loss: Pick<SegmentLost, 'durationMs' | 'detail' | 'estimated'>): void {
    this.#lose({ cause: 'recorder.down', ...loss });
  }

  damaged(what: string): void {
    this.#watch.release();
    this.#damage ??= what;
  }

  /** Stores the unit with those before it, or begins a new piece with it. */
  place(unit: MediaUnit): void {
    if (this.#damage === undefined && !this.#isLater) {
      this.#watch.take(unit);
      return;
    }
    this.#watch.learn(unit);
    this.#place(unit, true);
  }

  #place(unit: MediaUnit, isMissing: boolean): void {
    const frames = primaryFrames(unit);
    const [first, ...others] = frames;
    if (first !== undefined) this.#stepTo(first, isMissing);
    const { signature } = unit.layout;
    if (signature !== this.#signature) {
      this.#closeOpen();
      if (this.#signature !== undefined && this.#hasMedia) this.#discontinuity++;
      this.#signature = signature;
    }
    if (this.#open !== undefined && this.#isOver(this.#open, unit, first)) this.#close(this.#open);
    this.#write(unit);
    this.#options.tail.add(unit);
    for (const frame of others) {
      const isWhole = this.#clock.look(frame)?.step !== 'hole';
      const isGap = !isWhole && this.#watch.isMissingWithin(frame);
      this.#inside(this.#clock.step(frame), isGap);
    }
  }

  /** Nothing follows for now: what is open is a piece. */
  close(): void {
    this.#watch.release();
    this.#closeOpen();
  }

  #closeOpen(): void {
    if (this.#open !== undefined) this.#close(this.#open, this.#clock.lastLastsMs);
  }

  /** What is open will not be needed. */
  async abandon(): Promise<void> {
    await this.#open?.piece.file.abandon();
    this.#open = undefined;
  }

  /** Settles once there is room for more; undefined while there is. */
  takeWaiting(): Promise<void> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #stepTo(frame: MediaFrame, isMissing: boolean): void {
    const isLater = this.#isLater;
    const damage = this.#damage;
    // Between two programs even a single picture of a steady stream is one that is missing.
    const isDamaged = damage !== undefined || (isLater && this.#clock.isSteady);
    const step = this.#clock.step(frame, { isLater, isDamaged });
    this.#isLater = false;
    this.#damage = undefined;
    if (step === undefined) return;
    const isOn = step.step === 'on' || (step.step === 'hole' && !isMissing);
    if (this.#open !== undefined) {
      this.#open.lastedMs += step.lastedMs + (isOn && step.step === 'hole' ? step.holeMs : 0);
    }
    if (isOn) return;
    if (this.#open !== undefined) this.#close(this.#open);
    if (step.step === 'jump') this.#break();
    else if (isLater) {
      this.nameDown({
        durationMs: this.#without(frame, step.holeMs),
        detail: 'measured by the timestamps of the media before and after',
      });
    } else this.#skip(step.holeMs, damage ?? 'the timestamps of the program jump forward');
  }

  /** A hole between two runs, without what sound there is of it: the picture may have stood still before. */
  #without({ startMs }: MediaFrame, holeMs: number): number {
    const soundlessMs = startMs - this.#soundEndMs;
    return soundlessMs > 0 && soundlessMs < holeMs - SPREAD_MS ? soundlessMs : holeMs;
  }

  /** A fragment may hold holes: it is stored as it is, and they are named after it. */
  #inside(step: Step | undefined, isMissing: boolean): void {
    if (step === undefined) return;
    if (this.#open !== undefined) {
      this.#open.lastedMs += step.lastedMs + (step.step === 'hole' && !isMissing ? step.holeMs : 0);
    }
    if (step.step === 'hole' && isMissing) {
      this.#closeOpen();
      this.#skip(step.holeMs, 'the timestamps within a fragment jump forward');
    }
  }

  #isOver(
    { bytes, lastedMs, firstMs, lastMs }: CuttingPiece,
    unit: MediaUnit,
    first: MediaFrame | undefined,
  ): boolean {
    const spanMs = Math.max(lastedMs, lastMs - (firstMs ?? lastMs));
    const isLong = spanMs >= PIECE_MS_MAX || bytes >= PIECE_BYTES_MAX;
    if (first === undefined) return isLong && spanMs >= 2 * PIECE_MS_MAX;
    return (
      isLong || (unit.isKey && lastedMs >= (this.#isFirstPiece ? FIRST_PIECE_MS_MIN : PIECE_MS_MIN))
    );
  }

  #write(unit: MediaUnit): void {
    const { container, head } = unit.layout;
    const isTs = container === 'ts';
    if (this.#open === undefined) {
      this.#hasMedia = true;
      if (this.#epoch === undefined) {
        this.#epoch = 0;
        this.#note('first');
      }
      const piece = this.#options.store.open({
        ...{ epoch: this.#epoch, msn: this.#msn++, discontinuity: this.#discontinuity },
        ...{ container, head: isTs ? undefined : head },
      });
      this.#open = { piece, bytes: 0, lastedMs: 0, firstMs: undefined, lastMs: 0 };
      if (isTs) this.#append(this.#open, this.#numbered(head));
    }
    const open = this.#open;
    for (const { frames } of unit.streams) {
      const last = frames.at(-1);
      if (last === undefined) continue;
      open.firstMs ??= frames[0]?.startMs;
      open.lastMs = Math.max(open.lastMs, last.startMs);
    }
    this.#append(open, isTs ? this.#numbered(unit.bytes) : unit.bytes);
  }

  #numbered(packets: Buffer): Buffer {
    this.#continuity.number(packets);
    return packets;
  }

  #append(open: CuttingPiece, bytes: Buffer): void {
    open.bytes += bytes.length;
    this.#waiting = open.piece.file.write(bytes) ?? this.#waiting;
  }

  #close(open: CuttingPiece, restMs = 0): void {
    this.#open = undefined;
    const measuredMs = open.lastedMs + restMs;
    if (measuredMs >= FIRST_PIECE_MS_MIN) this.#isFirstPiece = false;
    const durationMs =
      open.lastedMs > 0 || restMs > 0 ? measuredMs : open.lastMs - (open.firstMs ?? open.lastMs);
    this.#options.store.close(open.piece, durationMs);
  }

  #skip(durationMs: number, detail: string): void {
    this.#lose({ cause: 'skipped', durationMs, detail });
  }

  #lose(loss: Omit<SegmentLost, 't' | 'at' | keyof SegmentKey | 'count'>): void {
    const count = piecesIn(loss.durationMs);
    this.#options.store.lose({ epoch: this.#epoch ?? 0, msn: this.#msn, count, ...loss });
    this.#msn += count;
  }

  #note(why: 'first' | 'program'): void {
    const epoch = this.#epoch ?? 0;
    const at = this.#options.now();
    this.#options.store.note({ t: 'epoch', epoch, track: TRACK, at, why, first: this.#msn });
  }

  /** Another clock begins with the next frame. */
  #break(): void {
    this.#discontinuity++;
    this.#watch.reset();
    this.#options.tail.begin();
  }
}

const primaryFrames = ({ streams, layout }: MediaUnit): readonly MediaFrame[] =>
  streams.find(({ key }) => key === layout.primary)?.frames ?? [];
