import type { MediaPlaylist } from '../playlist/model.ts';
import { endOf } from './placement.ts';
import { PlannerPolls } from './polls.ts';

/** Poll results kept as evidence. */
const EVIDENCE_POLLS_MAX = 8;

/**
 * A source is gone when nothing usable came from it for two target durations and three polls at least: one lost answer, or an edge
 * that is slow for a moment, is neither. It is gone as well when it is not polled any more.
 */
const GONE_TARGETS = 2;
const GONE_POLLS = 3;
/** Before it told its target duration: as long as a first poll may take. Milliseconds. */
const GONE_UNKNOWN_MS = 5_000;

/** What is known of one of the job's links. */
export class PlannerSource {
  readonly number: number;
  readonly polls = new PlannerPolls();
  targetDurationMs = 0;
  windowMs = 0;
  lastDurationMs = 0;
  /** It said that the stream is over. */
  ended = false;
  /** Its last poll brought nothing usable. */
  failing = false;
  /** The planner wanted it polled so many times in a row, and it was not. */
  passedOver = 0;
  /** When a usable answer came last. */
  answeredAt: number;
  /** When it last listed what it had not listed before. */
  advancedAt: number;
  #holdsBack = false;
  #end = 0;
  #signs: string[] = [];

  constructor(number: number, now: number) {
    this.number = number;
    this.answeredAt = now;
    this.advancedAt = now;
  }

  /** A playlist that could be read. */
  heard(playlist: MediaPlaylist): void {
    this.targetDurationMs = playlist.targetDurationMs;
    this.windowMs = playlist.windowMs;
    this.lastDurationMs = playlist.segments.at(-1)?.durationMs || playlist.targetDurationMs;
    this.#holdsBack = playlist.serverControl?.canBlockReload === true;
    this.polls.paced(this.targetDurationMs, this.#holdsBack);
  }

  /** Whether its list ends elsewhere than before: for a source whose numbers mean nothing to the timeline. */
  movedOn(playlist: MediaPlaylist): boolean {
    const end = endOf(playlist);
    const moved = end !== this.#end;
    this.#end = end;
    return moved;
  }

  answered(sign: string, now: number): void {
    this.answeredAt = now;
    this.failing = false;
    this.note(sign);
  }

  failed(sign: string): void {
    this.failing = true;
    this.note(sign);
  }

  note(sign: string): void {
    this.#signs = [...this.#signs, sign].slice(-EVIDENCE_POLLS_MAX);
  }

  /** Nothing usable came for so long that it may be gone. */
  isSilent(now: number): boolean {
    return !this.ended && now - this.answeredAt >= this.goneMs;
  }

  isGone(now: number): boolean {
    const limitMs = this.goneMs;
    if (now - this.answeredAt < limitMs) return false;
    const isPolled = this.polls.outstanding > 0 || now - this.polls.sentAt < limitMs;
    return !isPolled || this.polls.unanswered >= GONE_POLLS;
  }

  /** How long nothing usable may come before it can be gone, milliseconds. An answer that is held back takes its time. */
  get goneMs(): number {
    if (this.targetDurationMs === 0) return GONE_UNKNOWN_MS;
    return (GONE_TARGETS + (this.#holdsBack ? 1 : 0)) * this.targetDurationMs;
  }

  /** When what it lists now can have left its window: two target durations are the time to tell. */
  expiry(now: number): number {
    return now + this.windowMs + 2 * (this.targetDurationMs || GONE_UNKNOWN_MS);
  }

  evidence(now: number): Readonly<Record<string, unknown>> {
    return {
      source: this.number,
      endList: this.ended,
      sinceAnswerMs: Math.round(now - this.answeredAt),
      sinceAdvanceMs: Math.round(now - this.advancedAt),
      lastPolls: [...this.#signs],
    };
  }
}
