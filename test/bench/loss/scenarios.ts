import { NETWORK_SCENARIOS } from './networkScenarios.ts';
import { PLAYLIST_SCENARIOS } from './playlistScenarios.ts';
import type { Scenario } from './scenario.ts';
import { SEGMENT_SCENARIOS } from './segmentScenarios.ts';
import { STREAM_SCENARIOS } from './streamScenarios.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...PLAYLIST_SCENARIOS,
  ...SEGMENT_SCENARIOS,
  ...STREAM_SCENARIOS,
  ...NETWORK_SCENARIOS,
];
