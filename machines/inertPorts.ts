import type { Ports } from './ports.ts';

const never = (): never => {
  throw new Error('an inert machine was run: it is there to be looked at');
};

const restart = { intensity: 0, periodMs: 0, minBackoffMs: 0, maxBackoffMs: 0 };

/** Ports for charts that nobody runs: their shape is what counts, for pictures, documents and the legal moves. */
export const inertPorts: Ports = {
  now: never,
  elapsed: never,
  random: never,
  leash: {
    take: never,
    holds: never,
    clear: never,
    end: never,
    progress: never,
    strayFiles: never,
  },
  store: { open: never, record: never },
  finish: { footage: never, mux: never, upload: never },
  policy: {
    recorder: restart,
    finish: restart,
    bigDog: restart,
    bigDogDog: restart,
    graceMs: 0,
    heartbeat: { everyMs: 0, patience: 0 },
    lookMs: 0,
    programLookMs: 0,
    capacity: 0,
  },
};
