import { pause } from '../core/clock.ts';
import type { RecordingEnd } from '../recording/recorder.ts';
import type { FirstPlaylist } from './recordingRun.ts';
import { MAIN_TRACK } from './source/linkSource.ts';
import type { TrackFeed } from './source/trackFeed.ts';
import { type TrackParts, TrackRecording } from './trackRecording.ts';
import { unheardOf } from './unheard.ts';

/**
 * How long other tracks may go on when the main one has seen its ENDLIST, milliseconds. Packagers write all playlists within a
 * segment of each other; 10 s is the longest usual segment.
 */
const END_APART_MS = 10_000;

export interface RecordingTracksOptions extends TrackParts {
  /** The main track's feed, and those of the others. */
  readonly feeds: ReadonlyMap<string, TrackFeed>;
  /** How long the source may be silent before its end is assumed, milliseconds. */
  readonly patienceMs: number;
}

/**
 * The tracks of one recording, side by side. The main one decides when it is over; what happens to another one never hurts it.
 * A silent rendition is waited for as long as the main track goes on.
 */
export class RecordingTracks {
  readonly #options: RecordingTracksOptions;
  readonly #main: TrackRecording;
  readonly #others: readonly TrackRecording[];
  /** How long ago the recording began when this attempt did, milliseconds; undefined where this is the first. */
  readonly #agedMs: number | undefined;
  readonly #attemptAt: number;

  constructor(options: RecordingTracksOptions) {
    this.#options = options;
    const { clock, ledger } = options;
    this.#attemptAt = clock.elapsed();
    this.#agedMs =
      ledger.startedAt === undefined ? undefined : Math.max(0, clock.now() - ledger.startedAt);
    const tracks = [...options.feeds].map(([track, feed]) => {
      const isMain = track === MAIN_TRACK;
      const patienceMs = isMain ? options.patienceMs : Number.POSITIVE_INFINITY;
      const log: TrackParts['log'] = isMain
        ? options.log
        : (message, fields) => options.log(message, { track, ...fields });
      return new TrackRecording({ ...options, track, feed, patienceMs, log });
    });
    const main = tracks.find(({ track }) => track === MAIN_TRACK);
    if (main === undefined) throw new Error('a recording has a main track');
    this.#main = main;
    this.#others = tracks.filter((track) => track !== main);
  }

  /** Segments that this attempt came to know of, and how many of them are stored or named. */
  get advertised(): number {
    return this.#sum((track) => track.advertised);
  }

  get settled(): number {
    return this.#sum((track) => track.settled);
  }

  /** The end of the main track, when the others are over as well. Rejects with what `abort` was told, or with a bug. */
  async run(first?: FirstPlaylist): Promise<RecordingEnd> {
    // A bug in any of them is the recorder's, also when the main one is over already.
    let broken: { readonly reason: unknown } | undefined;
    const others = this.#others.map((track) =>
      track.run().catch((reason: unknown) => {
        broken ??= { reason };
        this.#main.abort(reason);
      }),
    );
    try {
      const end = await this.#main.run(first);
      if (end.why === 'endlist') await this.#letEnd(others);
      for (const track of this.#others) track.stop('stopped');
      await Promise.all(others);
      if (broken !== undefined) throw broken.reason;
      return this.#withUnheard(end);
    } catch (error) {
      for (const track of this.#others) track.abort(error);
      await Promise.all(others);
      throw error;
    }
  }

  stop(why: 'duration' | 'stopped'): void {
    for (const track of [this.#main, ...this.#others]) track.stop(why);
  }

  abort(reason: unknown): void {
    for (const track of [this.#main, ...this.#others]) track.abort(reason);
  }

  /** What nobody saw a playlist of cannot be named segment by segment: the end says which tracks lack something. */
  #withUnheard(end: RecordingEnd): RecordingEnd {
    const main = this.#main.hearing;
    const beganAt =
      this.#agedMs === undefined
        ? (main.first?.at ?? this.#attemptAt)
        : this.#attemptAt - this.#agedMs;
    const others = this.#others.map(({ hearing }) => hearing);
    const unheard = unheardOf({ beganAt, newAt: main.newAt }, others);
    if (unheard.length === 0) return end;
    this.#options.log('Tracks lack what cannot be counted: their playlists could not be read.', {
      unheard,
    });
    return { ...end, evidence: { ...end.evidence, unheard } };
  }

  async #letEnd(others: readonly Promise<unknown>[]): Promise<void> {
    const { clock } = this.#options;
    const early = new AbortController();
    await Promise.race([Promise.all(others), pause(clock, END_APART_MS, early.signal)]);
    early.abort();
  }

  #sum(of: (track: TrackRecording) => number): number {
    return [this.#main, ...this.#others].reduce((sum, track) => sum + of(track), 0);
  }
}
