import type { Policy } from '../../machines/ports.ts';

/** The node's defaults. Recovery is meant to be fast at the bottom of the tree and slow at its top. */
export const POLICY: Policy = {
  // A host that dies costs one of these; 20 in ten minutes is no accident any more. The backoff stays far below the
  // windows of live playlists (10 s and more): while nobody records, segments slide out of them.
  // One that has recorded for ten seconds was well: the next one follows at once.
  recorder: {
    intensity: 20,
    periodMs: 600_000,
    minBackoffMs: 200,
    maxBackoffMs: 2_000,
    calmMs: 10_000,
  },
  finish: { intensity: 4, periodMs: 3_600_000, minBackoffMs: 1_000, maxBackoffMs: 60_000 },
  bigDog: { intensity: 5, periodMs: 600_000, minBackoffMs: 200, maxBackoffMs: 10_000 },
  bigDogDog: { intensity: 3, periodMs: 60_000, minBackoffMs: 200, maxBackoffMs: 5_000 },
  // The recorder gives itself 3 s to fetch what was advertised, and 3 s more to write its end.
  graceMs: 7_000,
  // Beats come at least with every poll, whose time-out is a few seconds; silence of 10 s is a hang.
  heartbeat: { everyMs: 2_000, patience: 5 },
  // A tool that muxes by itself is busy for longer than that; with 2 s, these looks were most of what a quiet tree costs.
  lookMs: 5_000,
  // Hosts tell the signs of programs as often. A program that was stopped or begins to mux is known after two or three looks,
  // so that another one records within three seconds; a hundred programs cost less than a hundredth of a core.
  programLookMs: 500,
  capacity: 1_000,
};
