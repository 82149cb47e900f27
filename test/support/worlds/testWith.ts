import { test } from 'vitest';
import { type FoundWorldTools, need, type WorldTool, type WorldTools } from './worldTools.ts';

/**
 * Tests that need tools: where one is missing, the test is skipped and its title says which and why. They wait for real time most of
 * theirs, so some run side by side (`maxConcurrency`); `alone`: not this one.
 */
export const testWithTools =
  (all: FoundWorldTools, how: 'beside' | 'alone' = 'beside') =>
  <const Wanted extends WorldTool>(
    title: string,
    wanted: readonly Wanted[],
    body: (tools: Pick<WorldTools, Wanted>) => Promise<void>,
  ): void => {
    const needed = need(all, ...wanted);
    if ('why' in needed) test.skip(`${title} (did not run: ${needed.why})`, () => {});
    else if (how === 'alone') test(title, () => body(needed.tools));
    else test.concurrent(title, () => body(needed.tools));
  };
