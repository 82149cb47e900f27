import { HEAVY_STREAMS_MAX, isHeavy, type Peer } from './peers.ts';

/** What is measured: the peers, the engine alone, and Kennel with either database. */
export type Recorder = Peer | 'engine' | 'kennel' | 'kennel-postgres';
export const KENNELS: readonly Recorder[] = ['engine', 'kennel', 'kennel-postgres'];

/** Recorders that run at the same time, each with all streams of a batch of its own. */
export interface Batch {
  readonly streams: number;
  readonly recorders: readonly Recorder[];
}

/**
 * Streams of all recorders of a batch together: 250 of 5 Mb/s are 156 MB/s that are served, fetched and written, which two
 * cores and a disk bear beside what is measured. A recorder with more streams runs alone.
 */
const STREAMS_TOGETHER_MAX = 250;

/** Side by side where the machine bears it, else one after the other. Every batch with a Kennel has its ffmpeg beside it. */
export function batchesOf(streams: number, recorders: readonly Recorder[]): Batch[] {
  const fits = recorders.filter(
    (one) => !(isPeer(one) && isHeavy(one)) || streams <= HEAVY_STREAMS_MAX,
  );
  const size = Math.max(1, Math.floor(STREAMS_TOGETHER_MAX / streams));
  const batches: Batch[] = [];
  for (let from = 0; from < fits.length; from += size)
    batches.push({ streams, recorders: fits.slice(from, from + size) });
  return batches;
}

export const isPeer = (recorder: Recorder): recorder is Peer => !KENNELS.includes(recorder);
