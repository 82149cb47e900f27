import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Origin } from '../../support/origin/origin.ts';
import type { Ending } from './ending.ts';
import type { HostNames } from './hostNames.ts';
import type { Scenario } from './scenario.ts';
import { type Stage, setStage } from './stage.ts';

/** Starts come so far apart: a crowd of starting programs would starve those that record already. */
const STAGGER_MS = 300;

export interface Entrant {
  readonly name: string;
  /** It can be given several links to one stream. */
  readonly hasFallback: boolean;
  /** It may run besides any number of others: many of its recordings share one process. */
  readonly isLight: boolean;
  record(stage: Stage, directory: string): Promise<Ending>;
}

export interface Playing {
  readonly origin: Origin;
  /** For what the recorders leave. */
  readonly directory: string;
  readonly names: HostNames | undefined;
  /** How many recorders may run at once, the light ones not counted. */
  readonly atOnce: number;
}

/** A stage and what a recorder made of it. */
export interface Played {
  readonly stage: Stage;
  readonly ending: Ending;
}

/** Plays every scenario to every entrant, many at once. Their files are below `directory`. */
export async function play(
  scenarios: readonly Scenario[],
  entrants: readonly Entrant[],
  playing: Playing,
): Promise<Played[]> {
  const pairs = scenarios
    .flatMap((scenario) => entrants.map((entrant) => ({ entrant, scenario })))
    .filter(({ entrant, scenario }) => entrant.hasFallback || !scenario.fallback)
    .toSorted((a, b) => Number(b.entrant.isLight) - Number(a.entrant.isLight));
  const seats = new Seats(playing.atOnce);
  const runs: Promise<Played>[] = [];
  for (const { entrant, scenario } of pairs) {
    const leave = entrant.isLight ? () => {} : await seats.take();
    runs.push(run(entrant, scenario, playing).finally(leave));
    await sleep(STAGGER_MS);
  }
  return await Promise.all(runs);
}

async function run(entrant: Entrant, scenario: Scenario, playing: Playing): Promise<Played> {
  const { name: recorder, hasFallback } = entrant;
  const stage = await setStage(playing.origin, scenario, { recorder, hasFallback });
  const forget = takeAwayName(stage, playing.names);
  try {
    const own = mkdtempSync(join(playing.directory, `${scenario.name}-${recorder}-`));
    return { stage, ending: await entrant.record(stage, own) };
  } finally {
    forget();
  }
}

/** Lets the stage's host be resolved but for the time that its scenario says. */
function takeAwayName({ host, picture, scenario }: Stage, names?: HostNames): () => void {
  const { unresolved } = scenario;
  if (host === undefined || unresolved === undefined || names === undefined) return () => {};
  names.add(host);
  const timers: NodeJS.Timeout[] = [];
  picture.clock.onBegin(() => {
    const { fromMs, forMs } = unresolved;
    timers.push(setTimeout(() => names.remove(host), fromMs));
    timers.push(setTimeout(() => names.add(host), fromMs + forMs));
  });
  return () => {
    for (const timer of timers) clearTimeout(timer);
    names.remove(host);
  };
}

/** So many at once; whoever comes then waits for a seat. */
class Seats {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(seats: number) {
    this.#free = seats;
  }

  /** Resolves with what gives the seat back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }
}
