import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { didYouMean } from './didYouMean.ts';
import type { Problem } from './problem.ts';
import { SETTINGS, type Setting } from './settings.ts';

export const CONFIG_FILE_NAME = 'kennel.toml';

/** What a file says. */
export interface FileSettings {
  readonly path: string;
  /** Values by key, as TOML has them, and where each stands: `kennel.toml:12`. */
  readonly values: ReadonlyMap<string, unknown>;
  place(key: string): string;
  readonly problems: readonly Problem[];
}

/** Where a file may be. `wanted` files must be there. */
export interface FilePlaces {
  /** From `--config` or `KENNEL_CONFIG`. */
  readonly wanted?: string | undefined;
  readonly directory: string;
  readonly dataDir: string;
}

/**
 * The one file that is read: the wanted one, or else `kennel.toml` in the working directory, or else in the data directory.
 * One in the working directory that is another user's is passed over: whoever may write it says which programs are run.
 */
export function findConfigFile({ wanted, directory, dataDir }: FilePlaces): string | undefined {
  if (wanted !== undefined) return resolve(directory, wanted);
  const here = join(directory, CONFIG_FILE_NAME);
  if (isOwn(here)) return here;
  const kept = join(dataDir, CONFIG_FILE_NAME);
  return statSync(kept, { throwIfNoEntry: false })?.isFile() ? kept : undefined;
}

function isOwn(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) return false;
  const isWritableByOthers = (found.mode & 0o002) !== 0;
  return (found.uid === process.getuid?.() || found.uid === 0) && !isWritableByOthers;
}

/** Never throws: what is wrong with the file stands in its problems. */
export function readConfigFile(path: string): FileSettings {
  const none = { path, values: new Map(), place: () => path };
  try {
    const text = readFileSync(path, 'utf8');
    return { path, ...settingsIn(path, text) };
  } catch (error) {
    if (error instanceof TomlError) {
      const place = `${path}:${error.line}`;
      // The rest of its message shows the line, which may hold a secret.
      const [message = ''] = error.message.split('\n');
      return { ...none, problems: [{ place, message }] };
    }
    const code = systemCodeOf(error);
    const message = code === 'ENOENT' ? 'there is no such file' : messageOf(error);
    return { ...none, problems: [{ place: path, message }] };
  }
}

function settingsIn(path: string, text: string): Omit<FileSettings, 'path'> {
  const lines = linesOfKeys(text);
  const place = (key: string) => {
    const line = lines.get(key);
    return line === undefined ? path : `${path}:${line}`;
  };
  const values = new Map<string, unknown>();
  const problems: Problem[] = [];
  for (const [key, value] of flat(parse(text))) {
    const setting = SETTINGS.find((known) => known.key === key);
    if (setting === undefined) problems.push({ place: place(key), message: unknownKey(key) });
    else if (setting.onlyEnvironment)
      problems.push({ place: place(key), message: `${key} is set by ${setting.names[0]} alone` });
    else values.set(key, value);
  }
  return { values, place, problems };
}

const TABLES: ReadonlySet<string> = new Set(
  SETTINGS.flatMap(({ key }) => (key.includes('.') ? [key.slice(0, key.indexOf('.'))] : [])),
);

/** Keys of tables with the table's name before them. A table that is not ours is one key. */
function flat(document: Record<string, unknown>): [string, unknown][] {
  return Object.entries(document).flatMap(([name, value]): [string, unknown][] =>
    TABLES.has(name) && isTable(value)
      ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one])
      : [[name, value]],
  );
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

function unknownKey(key: string): string {
  if (TABLES.has(key)) return `${key} is a table: write [${key}] and its settings below`;
  const near =
    didYouMean(
      key,
      SETTINGS.map((known) => known.key),
    ) ?? sameLastWord(key)?.key;
  return `unknown setting ${key}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** `port` outside of its table, `api.policy` in another one's. */
function sameLastWord(key: string): Setting | undefined {
  const word = key.split('.').at(-1);
  const same = SETTINGS.filter((known) => known.key.split('.').at(-1) === word);
  return same.length === 1 ? same[0] : undefined;
}

/**
 * The line of each key, counted from 1, in files that are written as people do: `[table]` and `key =`. Whatever is written
 * otherwise has no line, and its problem names the file alone.
 */
function linesOfKeys(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = '';
  for (const [index, line] of text.split('\n').entries()) {
    const heading = /^\s*\[\s*([\w.-]+)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) {
      table = `${heading}.`;
      lines.set(heading, index + 1);
    }
    const key = /^\s*([\w.-]+)\s*=/.exec(line)?.[1];
    if (key !== undefined && !lines.has(table + key)) lines.set(table + key, index + 1);
  }
  return lines;
}

/** The directories in which a change of this file can be seen: its own, and that of what it is a link to. */
export function directoriesOf(path: string): string[] {
  const directory = join(path, '..');
  try {
    return [...new Set([directory, join(realpathSync(path), '..')])];
  } catch {
    return [directory];
  }
}
