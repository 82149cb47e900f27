import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Origin } from '../../support/origin/origin.ts';
import type { Ending } from './ending.ts';
import type { HostNames } from './hostNames.ts';
import type { Scenario } from './scenario.ts';
import { type Stage, setStage } from './stage.ts';
import { type Verdict, verdictOf } from './verdict.ts';

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
  readonly ffmpeg: string;
  readonly names: HostNames | undefined;
  /** How many recorders may run at once, the light ones not counted. */
  readonly atOnce: number;
}

/** Plays every scenario to every entrant, many at once. Judging waits until nobody records any more. */
export async function play(
  scenarios: readonly Scenario[],
  entrants: readonly Entrant[],
  playing: Playing,
): Promise<Verdict[]> {
  const pairs = scenarios
    .flatMap((scenario) => entrants.map((entrant) => ({ entrant, scenario })))
    .filter(({ entrant, scenario }) => entrant.hasFallback || !scenario.fallback)
    .toSorted((a, b) => Number(b.entrant.isLight) - Number(a.entrant.isLight));
  const seats = new Seats(playing.atOnce);
  const directory = mkdtempSync(join(tmpdir(), 'kennel-loss-'));
  try {
    const runs: Promise<{ stage: Stage; ending: Ending }>[] = [];
    for (const { entrant, scenario } of pairs) {
      const leave = entrant.isLight ? () => {} : await seats.take();
      runs.push(run(entrant, scenario, { playing, directory }).finally(leave));
      await sleep(STAGGER_MS);
    }
    const verdicts: Verdict[] = [];
    for (const { stage, ending } of await Promise.all(runs)) {
      verdicts.push(await verdictOf(stage, ending, playing.ffmpeg));
    }
    return verdicts;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run(
  entrant: Entrant,
  scenario: Scenario,
  { playing, directory }: { playing: Playing; directory: string },
): Promise<{ stage: Stage; ending: Ending }> {
  const { name: recorder, hasFallback } = entrant;
  const stage = await setStage(playing.origin, scenario, { recorder, hasFallback });
  const forget = takeAwayName(stage, playing.names);
  try {
    const own = mkdtempSync(join(directory, `${scenario.name}-${recorder}-`));
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
