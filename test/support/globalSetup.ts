import { missingVariable, pathVariable, TOOLS, type Tool, toolPath, whyMissing } from './tools.ts';

/** What the suites of today use; the others can be looked up by a test that wants them. */
const NEEDED: readonly Tool[] = ['ffmpeg'];

/**
 * Runs once before all test files: finds or installs the tools, and says in one line each what will not run and why.
 * Workers inherit the answers through the environment.
 */
export async function setup(): Promise<void> {
  for (const tool of NEEDED) {
    const path = await toolPath(tool);
    if (path !== undefined) {
      process.env[pathVariable(tool)] = path;
      continue;
    }
    const reason = (await whyMissing(tool)) ?? 'unknown';
    process.env[missingVariable(tool)] = reason;
    process.stderr.write(`did not run: ${TOOLS[tool]}, because ${reason}\n`);
  }
}
