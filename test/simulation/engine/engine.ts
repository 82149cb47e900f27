import type { Campaign } from '../campaign.ts';
import { ENGINE_REGRESSIONS } from './engineRegressions.ts';
import { type EngineScript, engineScripts } from './engineScript.ts';
import { simulateEngine } from './simulateEngine.ts';

/** One recording: planner, run, writer and journal are the real ones; origin, disk and time are simulated. */
export const engine: Campaign<EngineScript> = {
  name: 'engine',
  of: 'one recording (planner, journal, disk and origins)',
  scripts: engineScripts,
  regressions: ENGINE_REGRESSIONS,
  simulate: (script, { seed }) => simulateEngine(script, seed),
};
