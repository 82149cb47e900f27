import { setTimeout as sleep } from 'node:timers/promises';
import type { Origin } from '../../support/origin/origin.ts';
import { diceOf, drawFault } from './faults.ts';
import type { Plan } from './plan.ts';
import { seeded } from './random.ts';

/** The origin is away for so long at most, milliseconds. */
const DOWN_MS_MAX = 2_500;
/** No fault begins so shortly before the end: a stream's last segments stay at their addresses, but its playlist ends. */
const CALM_END_MS = 5_000;

/** What went wrong, and what that made unavoidable. */
export interface Weather {
  readonly counts: Map<string, number>;
  /** By stream: indexes that nobody could have. */
  readonly unavoidable: Map<string, Set<number>>;
}

export interface WeatherParts {
  readonly plan: Plan;
  readonly origin: Origin;
  /** Kills the recorder hosts that live then; returns how many. */
  killHosts(): number;
  readonly signal: AbortSignal;
}

/** Lets everything go wrong, by the seed, until the streams are nearly over. */
export async function badWeather(parts: WeatherParts): Promise<Weather> {
  const { plan, origin, signal } = parts;
  const weather: Weather = { counts: new Map(), unavoidable: new Map() };
  const dice = diceOf(seeded(plan.seed));
  const untilMs = plan.lengthMs - CALM_END_MS;
  const count = (what: string): unknown =>
    weather.counts.set(what, (weather.counts.get(what) ?? 0) + 1);

  for (const event of scheduleOf(plan, dice.random)) {
    if (event.atMs >= untilMs) continue;
    const { clock } = origin.stream(Object.keys(plan.shows)[0]);
    await sleep(Math.max(0, event.atMs - clock.elapsedMs()), undefined, { signal });
    if (event.what === 'kill') {
      for (let killed = parts.killHosts(); killed > 0; killed--) count('host killed');
    } else if (event.what === 'down') {
      await origin.down(500 + dice.random() * DOWN_MS_MAX);
      count('origin away');
    } else {
      const stream = origin.stream(event.what);
      const { fault, unavoidable } = drawFault(dice, stream.head);
      stream.fault(fault);
      count(`${fault.on} ${fault.do}`);
      const known = weather.unavoidable.get(event.what) ?? new Set();
      for (const index of unavoidable) known.add(index);
      weather.unavoidable.set(event.what, known);
    }
  }
  return weather;
}

interface Event {
  readonly atMs: number;
  /** A stream's name: a fault of it. */
  readonly what: 'kill' | 'down' | (string & {});
}

function scheduleOf(plan: Plan, random: () => number): Event[] {
  const { lengthMs, faultEveryMs, downEveryMs, killsAtMs, shows } = plan;
  /** Times with exponential gaps: they have no memory, so that faults also meet each other. */
  const times = (everyMs: number): number[] => {
    const all: number[] = [];
    const gap = (): number => -Math.log(1 - random()) * everyMs;
    for (let at = gap(); at < lengthMs; at += gap()) all.push(at);
    return all;
  };
  return [
    ...killsAtMs.map((atMs) => ({ atMs, what: 'kill' })),
    ...times(downEveryMs).map((atMs) => ({ atMs, what: 'down' })),
    ...Object.keys(shows).flatMap((what) => times(faultEveryMs).map((atMs) => ({ atMs, what }))),
  ].toSorted((one, other) => one.atMs - other.atMs);
}
