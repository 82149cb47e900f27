import type { EngineScript } from './engineScript.ts';

/** Scripts that once broke a law, as they were shrunk. They stay here for good. */
export const ENGINE_REGRESSIONS: Readonly<Record<string, EngineScript>> = {};
