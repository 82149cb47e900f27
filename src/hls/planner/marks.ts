import type { MarkSeen } from '../../ledger/record.ts';
import type { PlaylistMark, PlaylistSegment } from '../playlist/model.ts';
import type { Placement } from './placement.ts';
import type { PlannerResume } from './resume.ts';

/**
 * Marks that are remembered so that a reload does not repeat them, those that were listed last. A day of cues every ten minutes
 * with ten lines each is 1,440; some packagers repeat a cue before every segment, which is 7,200 in the longest windows.
 */
const MARKS_REMEMBERED_MAX = 8_192;

/** Names each mark of an advertised segment once: a date range by its ID and value, any other by segment and value. */
export class PlannerMarks {
  readonly #track: string;
  readonly #seen = new Set<string>();
  readonly #heard = new Set<number>();
  #epoch: number | undefined;
  /** The first number of the epoch that was advertised. */
  #first: number;
  /** What an earlier life settled and named is not named again. */
  #settledBelow: number;

  constructor(track: string, resume: PlannerResume | undefined) {
    this.#track = track;
    this.#epoch = resume?.epoch;
    this.#first = resume?.first ?? 0;
    this.#settledBelow = resume?.next ?? Number.NEGATIVE_INFINITY;
  }

  /** The marks of an accepted playlist that were not seen before. */
  of({ source, epoch, shift, opened, playlist, fresh }: Placement): Omit<MarkSeen, 'at'>[] {
    if (opened !== undefined || epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#first = opened?.first ?? this.#first;
      this.#settledBelow = Number.NEGATIVE_INFINITY;
      this.#heard.clear();
    }
    const isFirst = !this.#heard.has(source);
    this.#heard.add(source);
    const settledBelow = isFirst ? this.#settledBelow : Number.NEGATIVE_INFINITY;
    const reopened = new Set(
      settledBelow === Number.NEGATIVE_INFINITY ? [] : fresh.map(({ place }) => place.msn),
    );
    const found: Omit<MarkSeen, 'at'>[] = [];
    for (const segment of playlist.segments) {
      if (segment.marks === undefined) continue;
      const msn = segment.msn + shift;
      if (msn < this.#first) continue;
      const isSettled = msn < settledBelow && !reopened.has(msn);
      for (const mark of segment.marks) {
        if (this.#isNew(mark, msn) && !isSettled) found.push(this.#seenAt(mark, segment, msn));
      }
    }
    return found;
  }

  #isNew(mark: PlaylistMark, msn: number): boolean {
    const name =
      mark.kind === 'daterange' && mark.id !== undefined
        ? mark.id
        : `${this.#epoch}/${msn}/${mark.tag}`;
    const text = `${name}\n${mark.value}`;
    const isNew = !this.#seen.delete(text);
    this.#seen.add(text);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MARKS_REMEMBERED_MAX) break;
      this.#seen.delete(oldest);
    }
    return isNew;
  }

  #seenAt(mark: PlaylistMark, { wallClock }: PlaylistSegment, msn: number): Omit<MarkSeen, 'at'> {
    const { kind, tag, value, id, startsAt = wallClock, durationMs } = mark;
    return {
      t: 'mark',
      ...{ track: this.#track, epoch: this.#epoch ?? 0, msn, kind, tag, value },
      ...(id !== undefined && { id }),
      ...(startsAt !== undefined && { startsAt }),
      ...(durationMs !== undefined && { durationMs }),
    };
  }
}
