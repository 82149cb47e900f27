import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import { Planner } from '../../../src/hls/planner/planner.ts';
import type { FetchFailure } from '../../../src/hls/planner/queue.ts';
import type { PlannerResume } from '../../../src/hls/planner/resume.ts';
import type { MediaPlaylist, PlaylistCut } from '../../../src/hls/playlist/model.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';
import { mutatedPlaylist } from '../../support/playlistMutations.ts';

/** Playlists in each life, and lives: together the cases. */
const STEPS = 12;
const RUNS = 800;
/** One playlist of a few segments, however broken, is placed in far less, milliseconds; a machine may be busy, though. */
const STEP_MS = 250;

/** What a live origin shows at a step, of two links with other numbers. */
function shown(step: number, source: number): string {
  const first = (source === 0 ? 10 : 500) + step;
  const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${first}`];
  for (let index = 0; index < 6; index++) {
    const content = step + index;
    if (content % 7 === 0) lines.push('#EXT-X-DISCONTINUITY');
    if (content % 5 === 0) lines.push(`#EXT-X-CUE-OUT:${content}`);
    if (content % 6 === 0) {
      lines.push(`#EXT-X-DATERANGE:ID="${content}",START-DATE="2026-01-01T00:00:00Z"`);
    }
    if (content % 9 === 0) lines.push('#EXT-X-GAP');
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(1.7e12 + content * 2_000).toISOString()}`);
    lines.push('#EXTINF:2,', `${source === 0 ? 'a' : 'b'}${content}.ts`);
  }
  return lines.join('\n');
}

const texts = (source: number) => Array.from({ length: STEPS }, (_, step) => shown(step, source));

const step = fc.record({
  source: fc.constantFrom(0, 0, 1),
  /** None: the playlist as it is. */
  mutant: fc.option(fc.oneof(mutatedPlaylist(texts(0)), mutatedPlaylist(texts(1))), { freq: 3 }),
  /** How the fetches under way go. */
  fates: fc.array(fc.constantFrom('stored', 'stored', 'refused', 'pending'), {
    minLength: 1,
    maxLength: 4,
  }),
  elapsedMs: fc.constantFrom(300, 2_000, 20_000),
});

const resume: PlannerResume = {
  ...{
    epoch: 1,
    home: 0,
    next: 13,
    first: 9,
    openBelow: 0,
    holes: [11],
    left: [],
    segmentMs: 2_000,
  },
  tail: [9, 10, 12].map((msn) => ({ epoch: 1, msn, checksum: `a${msn - 10}.ts` })),
  ...{ idleMs: 5_000, settled: 3 },
};

function parsed(text: string, source: number, cut: PlaylistCut | undefined) {
  try {
    const url = new URL(`http://origin${source}.test/live.m3u8`);
    const playlist = parsePlaylist(text, url, { cut });
    return playlist.kind === 'media' ? playlist : undefined;
  } catch (error) {
    // Anything else is a bug of the parser.
    if (!isKennelError(error)) throw error;
    return undefined;
  }
}

class Life {
  readonly planner: Planner;
  readonly #refused: FetchFailure = { cause: 'http.404', detail: '' };
  #now = 0;
  advertised = 0;
  named = 0;

  constructor(isResumed: boolean) {
    const patienceMs = 60_000;
    this.planner = new Planner({ track: 'main', patienceMs, now: 0, ...(isResumed && { resume }) });
  }

  hear(playlist: MediaPlaylist | undefined, source: number, elapsedMs: number): void {
    this.#now += elapsedMs;
    const poll = this.planner.onPollSent(this.#now, source);
    if (playlist === undefined) this.planner.onPollFailed(poll, 'playlist.invalid', this.#now);
    else this.planner.onPlaylist(poll, playlist, this.#now);
  }

  /** Carries out what is ordered, for as long as something is. */
  work(fates: readonly string[]): boolean {
    for (let turn = 0; turn < 40; turn++) {
      const plan = this.planner.plan(this.#now);
      for (const record of plan.records) if (record.t === 'gap') this.named += record.count;
      if (plan.end !== undefined) return true;
      if (plan.fetch.length === 0) return false;
      for (const [index, order] of plan.fetch.entries()) {
        const fate = fates[(turn + index) % fates.length];
        const at = { now: this.#now, jitter: 0 };
        const checksum = order.segment.identity;
        if (order.purpose === 'probe') {
          this.planner.onProbed(fate === 'stored' ? { checksum } : this.#refused, at);
        } else if (fate === 'stored') this.planner.onFetched(order.key, checksum, this.#now);
        else if (fate === 'refused') this.planner.onFetchFailed(order.key, this.#refused, at);
      }
    }
    return false;
  }

  stop(): boolean {
    this.planner.stop('stopped', this.#now);
    this.#now += 3_001;
    return this.work(['stored']);
  }
}

it('whatever the playlists are, every segment that was advertised is stored or named in the end', () => {
  let slowestMs = 0;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: STEPS, maxLength: STEPS }),
      fc.boolean(),
      (steps, isResumed) => {
        const life = new Life(isResumed);
        for (const [number, { source, mutant, fates, elapsedMs }] of steps.entries()) {
          const cut = life.planner.cut(source);
          const playlist = parsed(mutant ?? shown(number, source), source, cut);
          const before = performance.now();
          life.hear(playlist, source, elapsedMs);
          if (life.work(fates)) break;
          slowestMs = Math.max(slowestMs, performance.now() - before);
        }
        expect(life.stop()).toBe(true);
        expect(life.planner.settled).toBe(life.planner.advertised);
        expect(life.named).toBeLessThanOrEqual(life.planner.advertised);
      },
    ),
    { numRuns: RUNS },
  );
  expect(slowestMs).toBeLessThan(STEP_MS);
}, 30_000);
