import { Planner } from '../../src/hls/planner/planner.ts';
import type { MediaPlaylist, PlaylistSegment } from '../../src/hls/playlist/model.ts';

/**
 * What a poll costs the planner, in milliseconds of one core: the playlist, the plan that follows, and the fetch that ends. Parsing
 * is not part of it. Each window is measured whole and cut, without a backlog and with all of it waiting (a DVR start).
 *
 *     node test/bench/planner.ts
 */

const WINDOWS = [6, 60, 600, 7_200];
const SEGMENT_MS = 2_000;
/** Polls of one measurement; the first tenth warms up. */
const POLLS = 500;

const segments = (() => {
  const made = new Map<number, PlaylistSegment>();
  return (msn: number): PlaylistSegment => {
    const name = `/live/segment-${msn}.ts`;
    const segment = made.get(msn) ?? {
      msn,
      url: new URL(name, 'http://origin.test/'),
      identity: name,
      durationMs: SEGMENT_MS,
      discontinuity: 0,
      wallClock: 1.7e12 + msn * SEGMENT_MS,
      gap: false,
    };
    made.set(msn, segment);
    return segment;
  };
})();

/** `from`: where the playlist is cut. */
function playlist(first: number, count: number, from = first): MediaPlaylist {
  const begins = Math.max(first, Math.min(from, first + count - 1));
  return {
    kind: 'media',
    targetDurationMs: SEGMENT_MS,
    mediaSequence: first,
    discontinuitySequence: 0,
    endList: false,
    windowMs: count * SEGMENT_MS,
    segments: Array.from({ length: first + count - begins }, (_, index) =>
      segments(begins + index),
    ),
  };
}

interface Figures {
  readonly firstMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly unchangedMs: number;
}

interface Setting {
  readonly window: number;
  readonly backlog: boolean;
  readonly cut: boolean;
}

function measure({ window, backlog, cut }: Setting): Figures {
  const planner = new Planner({ track: 'main', patienceMs: 60_000, now: 0 });
  let now = 0;
  const hear = (heard: MediaPlaylist): number => {
    const poll = planner.onPollSent(now);
    const before = performance.now();
    planner.onPlaylist(poll, heard, now);
    const { fetch } = planner.plan(now);
    const tookMs = performance.now() - before;
    // With a backlog one fetch ends for every segment that comes, so that it stays as long as it is.
    for (const { key } of backlog ? fetch.slice(0, 1) : fetch)
      planner.onFetched(key, `${key.msn}`, now);
    return tookMs;
  };
  const firstMs = hear(playlist(0, window));
  while (!backlog) {
    const { fetch } = planner.plan(now);
    if (fetch.length === 0) break;
    for (const { key } of fetch) planner.onFetched(key, `${key.msn}`, now);
  }
  const tookMs: number[] = [];
  const unchangedMs: number[] = [];
  for (let poll = 1; poll <= POLLS; poll++) {
    now += SEGMENT_MS;
    const from = cut ? planner.cut(0)?.fromMsn : undefined;
    tookMs.push(hear(playlist(poll, window, from)));
    const number = planner.onPollSent(now);
    const before = performance.now();
    planner.onUnchanged(number, now);
    planner.plan(now);
    unchangedMs.push(performance.now() - before);
  }
  const steady = tookMs.slice(POLLS / 10).sort((a, b) => a - b);
  const again = unchangedMs.slice(POLLS / 10).sort((a, b) => a - b);
  const at = (sorted: readonly number[], part: number) =>
    sorted[Math.floor(sorted.length * part)] ?? 0;
  return {
    firstMs,
    medianMs: at(steady, 0.5),
    p99Ms: at(steady, 0.99),
    unchangedMs: at(again, 0.5),
  };
}

const figure = (ms: number) => ms.toFixed(3).padStart(9);
process.stdout.write('window  backlog  playlist   first ms  median ms    p99 ms  unchanged ms\n');
for (const window of WINDOWS) {
  for (const backlog of [false, true]) {
    for (const cut of [false, true]) {
      const { firstMs, medianMs, p99Ms, unchangedMs } = measure({ window, backlog, cut });
      const setting = [
        String(window).padStart(6),
        (backlog ? 'all' : 'none').padStart(8),
        (cut ? 'cut' : 'whole').padStart(9),
      ].join(' ');
      const figures = [firstMs, medianMs, p99Ms].map(figure).join('  ');
      process.stdout.write(`${setting}  ${figures}  ${figure(unchangedMs).padStart(12)}\n`);
    }
  }
}
