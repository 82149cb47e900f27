import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { runProgram } from '../process/runProgram.ts';
import { isAtLeast } from './plugins/versionOrder.ts';
import { PLUGINS } from './plugins.ts';
import type { FoundTool, ToolRequirement } from './recorderPlugin.ts';

/** A program that cannot print its version in this time cannot be used, milliseconds. Python's need about half a second. */
const VERSION_TIMEOUT_MS = 10_000;
/** Versions stand at the beginning; characters. */
const VERSION_OUTPUT_MAX = 4_096;

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
type AskedTool = Pick<ToolRequirement, 'command' | 'versionArguments' | 'parseVersion'>;

/** One tool, as `findTools` finds it. */
export async function findTool(
  requirement: AskedTool,
  options: Pick<FindToolsOptions, 'searchPath' | 'given' | 'environment'>,
): Promise<FoundTool | undefined> {
  const { searchPath, given = {}, environment = { PATH: searchPath } } = options;
  let newest: FoundTool | undefined;
  for (const path of await candidates(given[requirement.command], requirement, searchPath)) {
    const version = await versionOf(path, requirement, environment);
    if (version === undefined) continue;
    // Of two that are as new, the first on the path.
    if (newest === undefined || !isAtLeast(newest.version, version)) newest = { path, version };
  }
  return newest;
}

/** Each program once, although `/bin` is often `/usr/bin`. */
async function candidates(
  named: string | undefined,
  { command }: AskedTool,
  searchPath: string,
): Promise<string[]> {
  if (named?.includes('/')) return (await isExecutable(named)) ? [named] : [];
  const directories = searchPath.split(delimiter).filter((directory) => isAbsolute(directory));
  const paths = new Map<string, string>();
  for (const directory of directories) {
    const path = join(directory, named ?? command);
    if (!(await isExecutable(path))) continue;
    const real = await realpath(path).catch(() => path);
    if (!paths.has(real)) paths.set(real, path);
  }
  return [...paths.values()];
}

async function versionOf(
  path: string,
  { versionArguments, parseVersion }: AskedTool,
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  let head = '';
  const result = await runProgram({
    file: path,
    arguments: versionArguments,
    environment,
    signal: AbortSignal.timeout(VERSION_TIMEOUT_MS),
    onStdout: (text) => {
      if (head.length < VERSION_OUTPUT_MAX) head += text;
    },
  });
  return result.exitCode === 0 ? parseVersion(head) : undefined;
}

const isExecutable = async (path: string): Promise<boolean> =>
  await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
