import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The programs that cages are built with. All but bubblewrap belong to util-linux. */
const CAGE_TOOLS = ['bwrap', 'nsenter', 'setpriv', 'prlimit'] as const;
export type CageToolName = (typeof CAGE_TOOLS)[number];

/** Absolute paths of those that are there. */
export type CageTools = Readonly<Partial<Record<CageToolName, string>>>;

/** @param searchPath the value of `PATH` */
export function findCageTools(searchPath: string): CageTools {
  const directories = searchPath.split(delimiter).filter((directory) => isAbsolute(directory));
  const found: Partial<Record<CageToolName, string>> = {};
  for (const name of CAGE_TOOLS) {
    const path = directories.map((directory) => join(directory, name)).find(isExecutable);
    if (path !== undefined) found[name] = path;
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Says which of these is not there, or undefined. */
export function missingTool(tools: CageTools, needed: readonly CageToolName[]): string | undefined {
  const name = needed.find((tool) => tools[tool] === undefined);
  if (name === undefined) return undefined;
  const packageName = name === 'bwrap' ? 'bubblewrap' : 'util-linux';
  return `${name} (of the package ${packageName}) is not on the search path`;
}
