import { PROGRAM_NAMES } from './programs.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

export const KENNEL = 'kennel';
export const RECORDERS = [KENNEL, ...PROGRAM_NAMES] as const;

/** What a command line asked for. */
export interface Choice {
  readonly scenarios: readonly Scenario[];
  readonly recorders: readonly string[];
}

/** Throws with a sentence when a name is unknown. */
export function choose(options: {
  readonly only?: string | undefined;
  readonly recorders?: string | undefined;
  readonly short: boolean;
}): Choice {
  const names = options.only?.split(',');
  for (const name of names ?? []) {
    if (!SCENARIOS.some((one) => one.name === name))
      throw new Error(`no scenario is called ${name}`);
  }
  const recorders = options.recorders?.split(',') ?? RECORDERS;
  for (const name of recorders) {
    if (!RECORDERS.some((one) => one === name)) throw new Error(`no recorder is called ${name}`);
  }
  const scenarios = names
    ? SCENARIOS.filter(({ name }) => names.includes(name))
    : SCENARIOS.filter(({ short }) => !options.short || short);
  return { scenarios, recorders };
}
