import { FrameClock } from './frameClock.ts';
import { kept, type MediaFrame, type MediaUnit } from './mediaUnit.ts';

/** Sound covers a hole that it is short of by no more: its packets hold up to so much, and its clock is not that of the picture. Milliseconds. */
const UNCOVERED_MS = 200;
/** Sound that was heard last so long before a hole is none that goes on. Milliseconds. */
const SILENT_MS = 10_000;
/** What is held back until the sound after a hole has come: multiplexers send it less than a second later. */
const HELD_MS_MAX = 3_000;
const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** Holes of one sound that are remembered: more than any 3 s have. */
const SOUND_HOLES = 16;

export interface HoleWatchOptions {
  /** The account of the main stream; it is only read here. */
  readonly clock: FrameClock;
  /** Takes the unit. `isMissing`: the hole before it, if there is one, is media that is missing. */
  place(unit: MediaUnit, isMissing: boolean): void;
}

/**
 * Tells holes in which media is missing from those in which there was nothing to send: a picture that stands still (screens, slides) has no
 * frames. Where the sound stops too, something is missing; where it goes on, only if the next picture is a key frame at the very place
 * where one was due: then it was a piece of the picture alone. Without sound it is missing where pictures came steadily.
 */
export class HoleWatch {
  readonly #options: HoleWatchOptions;
  readonly #sounds = new Map<string, SoundAccount>();
  #held: MediaUnit[] = [];
  #heldBytes = 0;
  #heldUntilMs = 0;
  #lastKeyMs: number | undefined;
  #keyEveryMs: number | undefined;
  /** Key frames came at this distance at least twice in a row. */
  #isOnGrid = false;

  constructor(options: HoleWatchOptions) {
    this.#options = options;
  }

  /** Places the unit, or holds it back until it is known what the hole before it is. */
  take(unit: MediaUnit): void {
    this.learn(unit);
    if (this.#held.length === 0) {
      const isMissing = this.#judge(unit);
      if (isMissing !== undefined) {
        this.#place(unit, isMissing);
        return;
      }
      this.#heldUntilMs = (primaryFrames(unit)[0]?.startMs ?? 0) + HELD_MS_MAX;
    }
    this.#held.push(kept(unit));
    this.#heldBytes += unit.bytes.length;
    this.#go(this.#heldBytes > HELD_BYTES_MAX || this.#isLate(unit));
  }

  /** Nothing more is waited for. */
  release(): void {
    while (this.#held.length > 0) this.#go(true);
  }

  /** Whether what is missing before a frame, within a fragment, is media. */
  isMissingWithin(frame: MediaFrame): boolean {
    return this.#judgeHole(frame, false) ?? true;
  }

  /** When the sound that goes on ends that reaches farthest, milliseconds. */
  get soundEndMs(): number {
    return Math.max(...[...this.#sounds.values()].map(({ endMs }) => endMs));
  }

  /** Another timeline begins. */
  reset(): void {
    this.#sounds.clear();
    this.#forgetKeys();
  }

  /** Takes note of the unit's sound. */
  learn({ streams, layout }: MediaUnit): void {
    for (const { key, frames } of streams) {
      if (!key.startsWith('sound') || key === layout.primary) continue;
      let sound = this.#sounds.get(key);
      if (sound === undefined) {
        sound = new SoundAccount();
        this.#sounds.set(key, sound);
      }
      for (const frame of frames) sound.add(frame);
    }
  }

  #go(isLast: boolean): void {
    let mustDecide = isLast;
    while (this.#held.length > 0) {
      const [unit] = this.#held;
      if (unit === undefined) return;
      const isMissing = this.#judge(unit);
      if (isMissing === undefined && !mustDecide) return;
      this.#held.shift();
      this.#heldBytes -= unit.bytes.length;
      this.#place(unit, isMissing ?? true);
      if (isMissing === undefined) {
        mustDecide = false;
        const next = this.#held.flatMap(primaryFrames).at(0);
        if (next !== undefined) this.#heldUntilMs = next.startMs + HELD_MS_MAX;
      }
    }
  }

  #isLate({ streams }: MediaUnit): boolean {
    return streams.some(({ frames }) => (frames.at(-1)?.startMs ?? 0) > this.#heldUntilMs);
  }

  /** Undefined while the sound has to be waited for. */
  #judge(unit: MediaUnit): boolean | undefined {
    const [frame] = primaryFrames(unit);
    return frame === undefined ? true : this.#judgeHole(frame, unit.isKey);
  }

  #judgeHole(frame: MediaFrame, isKey: boolean): boolean | undefined {
    const { clock } = this.#options;
    const step = clock.look(frame);
    if (step?.step !== 'hole') return true;
    const fromMs = frame.startMs - step.holeMs;
    const isDue = isKey && this.#isDue(frame.startMs);
    const sounds = [...this.#sounds.values()].filter((sound) => sound.isHeardAt(fromMs));
    if (sounds.length === 0) return isDue || clock.isSteady;
    const stops = sounds.map((sound) => sound.stopsIn(fromMs, frame.startMs));
    if (stops.includes(false)) return isDue;
    return stops.includes(undefined) ? undefined : true;
  }

  #place(unit: MediaUnit, isMissing: boolean): void {
    const [frame] = primaryFrames(unit);
    const isBack = frame !== undefined && frame.startMs < (this.#lastKeyMs ?? frame.startMs);
    if (isBack) this.#forgetKeys();
    this.#options.place(unit, isMissing);
    if (frame === undefined || !unit.isKey) return;
    const lastMs = this.#lastKeyMs;
    this.#lastKeyMs = frame.startMs;
    if (lastMs === undefined || this.#isDue(frame.startMs, lastMs)) return;
    const everyMs = frame.startMs - lastMs;
    const frameMs = this.#options.clock.usualMs;
    this.#isOnGrid = Math.abs(everyMs - (this.#keyEveryMs ?? Number.NaN)) <= frameMs;
    this.#keyEveryMs = everyMs;
  }

  /** A key frame was to come at this time, as they come at equal distances. */
  #isDue(atMs: number, lastMs = this.#lastKeyMs): boolean {
    const everyMs = this.#keyEveryMs;
    if (!this.#isOnGrid || everyMs === undefined || lastMs === undefined) return false;
    const rest = (atMs - lastMs) % everyMs;
    return Math.min(rest, everyMs - rest) <= this.#options.clock.usualMs;
  }

  #forgetKeys(): void {
    this.#lastKeyMs = undefined;
    this.#keyEveryMs = undefined;
    this.#isOnGrid = false;
  }
}

/** Where one sound was heard. */
class SoundAccount {
  readonly #clock = new FrameClock();
  readonly #holes: { readonly fromMs: number; readonly toMs: number }[] = [];
  #firstMs: number | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  get endMs(): number {
    return this.#lastMs + this.#clock.lastLastsMs;
  }

  add(frame: MediaFrame): void {
    const step = this.#clock.step(frame);
    if (step === undefined || step.step === 'jump') {
      this.#firstMs = frame.startMs;
      this.#holes.length = 0;
    } else if (step.step === 'hole') {
      this.#holes.push({ fromMs: frame.startMs - step.holeMs, toMs: frame.startMs });
      if (this.#holes.length > SOUND_HOLES) this.#holes.shift();
    }
    this.#lastMs = frame.startMs;
  }

  isHeardAt(atMs: number): boolean {
    return (this.#firstMs ?? atMs) < atMs && this.endMs > atMs - SILENT_MS;
  }

  /** Whether it stops for most of this time; undefined while it has not come so far. */
  stopsIn(fromMs: number, toMs: number): boolean | undefined {
    const silentMs = this.#holes.reduce(
      (sum, hole) => sum + Math.max(0, Math.min(toMs, hole.toMs) - Math.max(fromMs, hole.fromMs)),
      0,
    );
    if (silentMs > (toMs - fromMs) / 2) return true;
    return this.endMs >= toMs - UNCOVERED_MS ? false : undefined;
  }
}

const primaryFrames = ({ streams, layout }: MediaUnit): readonly MediaFrame[] =>
  streams.find(({ key }) => key === layout.primary)?.frames ?? [];
