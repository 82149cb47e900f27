import type { ProcessTable } from './procfs.ts';

/** Some of a subject's processes, and what they are. */
export interface Part {
  readonly name: string;
  /** `whole` is everything that the subject runs; the others are parts of it, or stand `beside` it. */
  readonly role: 'whole' | 'part' | 'beside';
  pids(table: ProcessTable): number[];
}

/** What a subject has of the stream so far. */
export interface Taken {
  readonly bytes: number;
  /** Undefined where only bytes are to be seen. */
  readonly segments: number | undefined;
}

export interface Ended {
  readonly exitCode: number | null;
  /** Its own last words: one line. */
  readonly said: string;
}

/** A recorder under measurement. It runs from the moment it is made. */
export interface Subject {
  readonly name: string;
  readonly parts: readonly Part[];
  taken(): Promise<Taken>;
  /** Asks it to end well, as an operator does. */
  stop(): void;
  readonly ended: Promise<Ended>;
  /** Kills what is left, and removes its files. */
  remove(): void;
}
