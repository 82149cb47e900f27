import type { SegmentLost } from '../../ledger/record.ts';
import type { FetchFailure, LostSegment } from './queue.ts';

/** Why segments are lost when no try has failed. */
export const SLID_BY: FetchFailure = {
  cause: 'window.slid',
  detail: 'it left the playlist before it could be stored',
};
export const MARKED: FetchFailure = {
  cause: 'marked',
  detail: 'the playlist marks it as missing',
};
export const STOPPED: FetchFailure = { cause: 'stopped', detail: 'the recording was ended first' };
export const GONE: FetchFailure = { cause: 'network', detail: 'the source was gone' };

/** Gap lines for what is lost: neighbours that were lost for the same reason become one. What a gap names already is left out. */
export function gapsOf(lost: readonly LostSegment[]): Omit<SegmentLost, 'at'>[] {
  const gaps: Omit<SegmentLost, 'at'>[] = [];
  for (const { key, failure, durationMs, isNamed } of lost) {
    if (isNamed === true) continue;
    const before = gaps.at(-1);
    if (
      before !== undefined &&
      before.epoch === key.epoch &&
      before.msn + before.count === key.msn &&
      before.cause === failure.cause &&
      before.detail === failure.detail
    ) {
      const count = before.count + 1;
      gaps[gaps.length - 1] = { ...before, count, durationMs: before.durationMs + durationMs };
    } else {
      const { cause, detail } = failure;
      gaps.push({ t: 'gap', ...key, count: 1, cause, detail, durationMs });
    }
  }
  return gaps;
}
