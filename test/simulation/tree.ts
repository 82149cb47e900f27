import type { Campaign } from './campaign.ts';
import { REGRESSIONS } from './regressions.ts';
import { type Script, scripts } from './script.ts';
import { simulate } from './simulate.ts';

/** The whole supervision tree, its recorders and its database simulated. */
export const tree: Campaign<Script> = {
  name: 'tree',
  of: 'the whole supervision tree',
  scripts,
  regressions: REGRESSIONS,
  simulate,
};
