import type { PlaylistSegment } from '../playlist/model.ts';
import type { Placement } from './placement.ts';
import type { Heard } from './timelineState.ts';

/**
 * Only the content of a segment can tell what a playlist means. `resume`: how it hangs together with what an earlier life stored;
 * `moved`: the same, when a number is known to stand for something else now.
 * `backwards`: whether it is old, or an encoder began again under the old names. `renamed`: whether the names changed, or the
 * media. `join`: which of our numbers another source's are.
 */
export interface Question {
  readonly reason: 'resume' | 'moved' | 'backwards' | 'renamed' | 'join';
  readonly heard: Heard;
  /** Asked for one after the other, until one can be had. */
  readonly candidates: readonly PlaylistSegment[];
}

/** What a playlist means, or what has to be known first. */
export type Verdict = Placement | Question;

export const isQuestion = (verdict: Verdict): verdict is Question => 'reason' in verdict;

/** The content that was asked about; no checksum: it could not be had. */
export interface Answer {
  readonly segment: PlaylistSegment;
  readonly checksum: string | undefined;
}
