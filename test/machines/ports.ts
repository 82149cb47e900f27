import type {
  Footage,
  Job,
  JobLog,
  Move,
  Ports,
  ProgramSigns,
  RecorderNews,
} from '../../machines/ports.ts';
import type { Decision, JobState } from '../../machines/vocabulary.ts';
import { SimClock } from '../simulation/simClock.ts';

/** Ports that a test drives by hand: nothing happens unless the test says so. */
export const setupPorts = (state: JobState = 'pending', spec: Partial<Job['spec']> = {}) => {
  const clock = new SimClock();
  const moves: Move[] = [];
  const decisions: Decision[] = [];
  const orders: string[] = [];
  const world = {
    segments: 1,
    live: false,
    /** What an earlier life left of when it began. */
    footage: {} as Omit<Footage, 'segments'>,
    /** How far the wall clock was stepped. */
    stepMs: 0,
    /** Undefined: the recorder beats all the time. */
    beats: undefined as number | undefined,
    /** Undefined: the recorder is no program. */
    program: undefined as ProgramSigns | undefined,
    /** Segments that are stored or named as gaps. */
    settled: 0,
    stray: undefined as { sign: string; file: string } | undefined,
    hear: undefined as ((news: RecorderNews) => void) | undefined,
    muxErrors: [] as Error[],
  };
  const job: Job = {
    id: 'rex',
    state,
    attempt: 0,
    spec: {
      url: 'http://origin/live.m3u8',
      quality: ['best'],
      waitMs: 0,
      patienceMs: 60_000,
      output: './',
      keepSegments: false,
      ...spec,
    },
  };
  const log: JobLog = {
    commit: async (move) => {
      moves.push(move);
    },
  };
  const ports: Ports = {
    now: () => clock.now + world.stepMs,
    elapsed: () => clock.now,
    random: () => 0,
    leash: {
      take: (_, hear) => {
        world.hear = hear;
        world.live = true;
        orders.push('take');
        return {
          stop: (why) => void orders.push(`stop ${why}`),
          kill: (why) => void orders.push(`kill ${why}`),
          release: () => void orders.push('release'),
        };
      },
      holds: () => world.live,
      clear: async () => void orders.push('clear'),
      end: async () => void orders.push('end'),
      progress: () => ({
        beats: world.beats ?? clock.now,
        bytes: clock.now,
        advertised: world.settled,
        settled: world.settled,
        ...(world.program && { program: world.program }),
      }),
      strayFiles: () => world.stray,
    },
    store: {
      open: async () => ({ job, log }),
      record: (decision) => void decisions.push(decision),
    },
    finish: {
      footage: async () => ({ segments: world.segments, ...world.footage }),
      mux: async () => {
        const error = world.muxErrors.shift();
        if (error) throw error;
      },
      upload: async () => ({ outcome: 'complete' }),
    },
    policy: {
      recorder: { intensity: 2, periodMs: 600_000, minBackoffMs: 100, maxBackoffMs: 1_000 },
      finish: { intensity: 2, periodMs: 600_000, minBackoffMs: 100, maxBackoffMs: 1_000 },
      bigDog: { intensity: 2, periodMs: 600_000, minBackoffMs: 100, maxBackoffMs: 1_000 },
      bigDogDog: { intensity: 2, periodMs: 600_000, minBackoffMs: 100, maxBackoffMs: 1_000 },
      graceMs: 5_000,
      heartbeat: { everyMs: 1_000, patience: 3 },
      lookMs: 1_000,
      programLookMs: 500,
      capacity: 2,
    },
  };
  const settle = async () => {
    for (let round = 0; round < 10; round++) await new Promise(setImmediate);
  };
  /** Lets virtual time pass, with everything that becomes due. */
  const pass = async (ms: number) => {
    const end = clock.now + ms;
    await settle();
    while ((clock.nextDue ?? Number.POSITIVE_INFINITY) <= end) {
      clock.step();
      await settle();
    }
    clock.now = end;
  };
  return { clock, ports, world, moves, decisions, orders, settle, pass };
};
