import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * The programs of this name in the directories of a search path (the value of `PATH`), in its order; each once, although `/bin` is
 * often `/usr/bin`. A name with a slash in it is a path, and the only one. Relative directories are passed over.
 */
export async function executables(name: string, searchPath: string): Promise<string[]> {
  if (name.includes('/')) return (await isExecutable(name)) ? [name] : [];
  const directories = searchPath.split(delimiter).filter((directory) => isAbsolute(directory));
  const paths = new Map<string, string>();
  for (const directory of directories) {
    const path = join(directory, name);
    if (!(await isExecutable(path))) continue;
    const real = await realpath(path).catch(() => path);
    if (!paths.has(real)) paths.set(real, path);
  }
  return [...paths.values()];
}

const isExecutable = async (path: string): Promise<boolean> =>
  await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
