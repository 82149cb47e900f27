import type { DoorOptions } from '../../support/origin/door.ts';
import type { MasterOptions } from '../../support/origin/masterText.ts';
import type { StreamOptions } from '../../support/origin/streamOptions.ts';

export const CLASSES = [
  'playlist',
  'segment',
  'sequence',
  'encryption',
  'form',
  'address',
  'connection',
  'source',
] as const;

/** One live stream and what goes wrong with it. Times are milliseconds after a recorder's first request for it. */
export interface Scenario {
  readonly name: string;
  readonly class: (typeof CLASSES)[number];
  /** What happens, in a sentence without its end. */
  readonly what: string;
  /** Belongs to the selection of `--short`. */
  readonly short?: true;
  /** By name, over `LIVE`. `main` is what is recorded, and whose picture (and sound) is looked for. */
  readonly streams: Readonly<Record<string, StreamOptions>> & { readonly main: StreamOptions };
  /** Whose sound is looked for. Default: `main`. */
  readonly sound?: string;
  /** The recorders are given this master playlist, not the stream's. */
  readonly master?: MasterOptions;
  /** The stream `main`, and the master playlist, are reached through this door; other streams through the origin's own. */
  readonly door?: DoorOptions;
  /** Another link to the same stream, by its stream: only for recorders that can be given one. */
  readonly fallback?: { readonly stream: string; readonly dual: boolean };
  /** The recorder is killed with SIGKILL and started again with the same command. */
  readonly kill?: { readonly atMs: number; readonly againAfterMs: number };
  /** The address is a name, which cannot be resolved meanwhile: from, for, milliseconds. */
  readonly unresolved?: { readonly fromMs: number; readonly forMs: number };
  /** What a true account of the unavoidable loss names as its cause, in the ledger's words. */
  readonly causes?: RegExp;
}

/** Segments of 1 s, each for 6 s in the playlist and for 6 s more at its address, then ENDLIST. */
export const SEGMENTS = 44;
const WINDOW = 6;

/** What all streams have in common unless they say otherwise. */
export const LIVE: StreamOptions = {
  set: 'ts',
  window: WINDOW,
  prefill: WINDOW,
  endAfter: SEGMENTS,
  startsOnRequest: true,
};

/** When faults begin: everybody has long been recording. */
export const FAULT_MS = 14_000;
/** The segment that appears then. */
export const HIT = WINDOW + FAULT_MS / 1_000;
