import { executables } from '../process/executables.ts';
import { programVersion, type VersionQuestion } from '../process/programVersion.ts';
import { isAtLeast } from './plugins/versionOrder.ts';
import { PLUGINS } from './plugins.ts';
import type { FoundTool, ToolRequirement } from './recorderPlugin.ts';

export interface FindToolsOptions {
  /** The value of `PATH`. */
  readonly searchPath: string;
  /** By the command of the tool: programs that the operator named. Then nothing else is tried for it. */
  readonly given?: Readonly<Record<string, string | undefined>>;
  /** The environment that they run with; see `runProgram`. Default: the search path alone, by which scripts find what runs them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: those of all plugins. */
  readonly requirements?: readonly ToolRequirement[];
}

/**
 * Looks for the programs of all plugins, and asks each for its version. Where several are on the search path, it is the newest
 * that works. By the command of the tool; those that are not there, or do not work, are left out. Starts processes, so it is to be
 * done once in a life.
 */
export async function findTools(
  options: FindToolsOptions,
): Promise<ReadonlyMap<string, FoundTool>> {
  const { requirements = PLUGINS.map(({ tool }) => tool) } = options;
  const found = await Promise.all(
    requirements.map(async (tool) => [tool.command, await findTool(tool, options)] as const),
  );
  return new Map(found.flatMap(([name, tool]) => (tool === undefined ? [] : [[name, tool]])));
}

/** What it takes to find a tool and to know its version. */
type AskedTool = VersionQuestion & Pick<ToolRequirement, 'command'>;

/** One tool, as `findTools` finds it. */
export async function findTool(
  requirement: AskedTool,
  options: Pick<FindToolsOptions, 'searchPath' | 'given' | 'environment'>,
): Promise<FoundTool | undefined> {
  const { searchPath, given = {}, environment = { PATH: searchPath } } = options;
  let newest: FoundTool | undefined;
  const { command } = requirement;
  for (const path of await executables(given[command] ?? command, searchPath)) {
    const version = await programVersion(path, requirement, environment);
    if (version === undefined) continue;
    // Of two that are as new, the first on the path.
    if (newest === undefined || !isAtLeast(newest.version, version)) newest = { path, version };
  }
  return newest;
}
