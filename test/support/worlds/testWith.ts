import { test } from 'vitest';
import { type FoundWorldTools, need, type WorldTool, type WorldTools } from './worldTools.ts';

/**
 * Tests that need tools: where one is missing, the test is skipped and its title says which and why. They wait for real time most of
 * theirs, so some run side by side (`maxConcurrency`).
 */
export const testWithTools =
  (all: FoundWorldTools) =>
  <const Wanted extends WorldTool>(
    title: string,
    wanted: readonly Wanted[],
    body: (tools: Pick<WorldTools, Wanted>) => Promise<void>,
  ): void => {
    const needed = need(all, ...wanted);
    if ('why' in needed) test.skip(`${title} (did not run: ${needed.why})`, () => {});
    else test.concurrent(title, () => body(needed.tools));
  };
