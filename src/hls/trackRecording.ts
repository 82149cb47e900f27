import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RecordingEnd } from '../recording/recorder.ts';
import { Planner } from './planner/planner.ts';
import { resumeFrom } from './planner/resume.ts';
import type { RecordWriter, Taker } from './recordingPorts.ts';
import { type FirstPlaylist, RecordingRun } from './recordingRun.ts';
import type { TrackFeed } from './source/trackFeed.ts';
import type { Hearing } from './unheard.ts';

export interface TrackParts {
  readonly ledger: Ledger;
  readonly taker: Taker;
  readonly writer: RecordWriter;
  readonly clock: Clock;
  random(): number;
  /** A sign of life. */
  beat(): void;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface TrackOptions extends TrackParts {
  readonly track: string;
  readonly feed: TrackFeed;
  /** How long its source may be silent before its end is assumed, milliseconds; not finite: for ever. */
  readonly patienceMs: number;
}

/** One track of a recording: what decides about it, and what does as it says. */
export class TrackRecording {
  readonly track: string;
  readonly #planner: Planner;
  readonly #run: RecordingRun;
  /** Settled before this attempt began. */
  readonly #before: number;
  readonly #isResumed: boolean;
  readonly #feed: TrackFeed;
  /** When its last segment was stored by an earlier attempt, else when this one began; monotonic milliseconds. */
  readonly #newBefore: number;
  #end: RecordingEnd | undefined;

  constructor(options: TrackOptions) {
    const { track, feed, patienceMs, ledger, clock } = options;
    this.track = track;
    const resume = resumeFrom(ledger, track, clock.now());
    this.#before = resume?.settled ?? 0;
    this.#isResumed = resume !== undefined;
    this.#feed = feed;
    this.#newBefore = clock.elapsed() - (resume?.idleMs ?? 0);
    this.#planner = new Planner({ track, patienceMs, resume, now: clock.elapsed() });
    this.#run = new RecordingRun({ ...options, feed, planner: this.#planner });
  }

  get hearing(): Hearing {
    const { first, newAt = this.#newBefore, targetMs = 0 } = this.#feed.heard ?? {};
    return {
      track: this.track,
      isResumed: this.#isResumed,
      hasEnded: this.#end?.why === 'endlist',
      first,
      newAt,
      targetMs,
    };
  }

  /** Segments that this attempt came to know of, and how many of them are stored or named. */
  get advertised(): number {
    return this.#planner.advertised - this.#before;
  }

  get settled(): number {
    return this.#planner.settled - this.#before;
  }

  /** Rejects with what `abort` was told, or with a bug. */
  async run(first?: FirstPlaylist): Promise<RecordingEnd> {
    this.#end = await this.#run.run(first);
    return this.#end;
  }

  stop(why: 'duration' | 'stopped'): void {
    this.#run.stop(why);
  }

  abort(reason: unknown): void {
    this.#run.abort(reason);
  }
}
