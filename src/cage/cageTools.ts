import { executables } from '../process/executables.ts';

/** The programs that cages are built with. All but bubblewrap belong to util-linux. */
const CAGE_TOOLS = ['bwrap', 'nsenter', 'setpriv', 'prlimit'] as const;
export type CageToolName = (typeof CAGE_TOOLS)[number];

/** Absolute paths of those that are there. */
export type CageTools = Readonly<Partial<Record<CageToolName, string>>>;

/** @param searchPath the value of `PATH` */
export async function findCageTools(searchPath: string): Promise<CageTools> {
  const found: Partial<Record<CageToolName, string>> = {};
  for (const name of CAGE_TOOLS) {
    const [path] = await executables(name, searchPath);
    if (path !== undefined) found[name] = path;
  }
  return found;
}

/** Says which of these is not there, or undefined. */
export function missingTool(tools: CageTools, needed: readonly CageToolName[]): string | undefined {
  const name = needed.find((tool) => tools[tool] === undefined);
  if (name === undefined) return undefined;
  const packageName = name === 'bwrap' ? 'bubblewrap' : 'util-linux';
  return `${name} (of the package ${packageName}) is not on the search path`;
}
