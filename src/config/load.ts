import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type FileSettings, findConfigFile, readConfigFile } from './configFile.ts';
import { type Environment, fromEnvironment, misspelt } from './environment.ts';
import { invalidConfig, type Problem } from './problem.ts';
import { type Config, configSchema } from './schema.ts';
import { fromText, nested, SETTINGS, type Setting } from './settings.ts';

export type { Environment } from './environment.ts';

/** The settings that commands have options for, and their keys. */
const FLAGS = {
  dataDir: 'data_dir',
  host: 'api.host',
  port: 'api.port',
  socket: 'api.socket',
} as const;

export type Flags = Readonly<Partial<Record<keyof typeof FLAGS | 'config', string>>>;

/** Who said what holds. */
export interface Source {
  readonly kind: 'default' | 'file' | 'environment' | 'flag';
  /** `kennel.toml:12`, `KENNEL_API_PORT`, `--port`; absent for what nobody said. */
  readonly place?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** By key. What is not in it holds by default. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The file that was read, and those that secrets came from: a change of one is a change of the settings. */
  readonly file?: string;
  readonly secretFiles: readonly string[];
}

export interface ConfigSources {
  readonly env: Environment;
  readonly flags?: Flags;
  /** Where relative paths begin and `kennel.toml` is looked for. Default: the working directory. */
  readonly directory?: string;
}

/** The settings alone: {@link readConfig} for commands that need nothing else of it. */
export const loadConfig = (env: Environment, flags: Flags = {}): Config =>
  readConfig({ env, flags }).config;

/**
 * Reads the settings: defaults, over them the file, over it the environment, over it flags. All mistakes are told at once.
 *
 * @throws KennelError `config.invalid`
 */
export function readConfig({ env, flags = {}, directory = process.cwd() }: ConfigSources) {
  const told = new Told(env, flags);
  const dataDir = told.dataDir ?? defaultDataDir(env);
  const wanted = flags.config ?? (env['KENNEL_CONFIG'] || undefined);
  const path = findConfigFile({ wanted, directory, dataDir: resolve(directory, dataDir) });
  const file = path === undefined ? undefined : readConfigFile(path);
  if (file) told.addFile(file);
  const problems = [...told.problems, ...misspelt(env)];
  const given = nested(told.values);
  const result = configSchema.safeParse({ ...given, dataDir: given['dataDir'] ?? dataDir });
  for (const issue of result.error?.issues ?? []) problems.push(told.problemOf(issue));
  if (!result.success || problems.length > 0) throw invalidConfig(problems);
  const loaded: LoadedConfig = {
    config: withPaths(result.data, directory),
    sources: told.sources,
    ...(path !== undefined && { file: path }),
    secretFiles: told.secretFiles,
  };
  return loaded;
}

/** What flags, environment and file say of each setting, the strongest of them alone. */
class Told {
  readonly sources = new Map<string, Source>();
  readonly problems: Problem[] = [];
  readonly secretFiles: string[] = [];
  readonly #values = new Map<Setting, { readonly value: unknown; readonly text: string }>();

  constructor(env: Environment, flags: Flags) {
    for (const [flag, key] of Object.entries(FLAGS)) {
      const setting = SETTINGS.find((known) => known.key === key);
      // The keys of this table are those of the flags.
      const text = flags[flag as keyof typeof FLAGS];
      const place = `--${flag === 'dataDir' ? 'data-dir' : flag}`;
      if (setting && text) this.#add(setting, text, { kind: 'flag', place });
    }
    for (const setting of SETTINGS) {
      const { found, problems } = fromEnvironment(setting, env);
      this.problems.push(...problems);
      if (found?.file !== undefined) this.secretFiles.push(found.file);
      if (found) this.#add(setting, found.text, { kind: 'environment', place: found.place });
    }
  }

  get dataDir(): string | undefined {
    return [...this.#values].find(([{ key }]) => key === 'data_dir')?.[1].text;
  }

  get values(): [readonly string[], unknown][] {
    return [...this.#values].map(([{ path }, { value }]) => [path, value]);
  }

  addFile(file: FileSettings): void {
    this.problems.push(...file.problems);
    for (const setting of SETTINGS) {
      const { key } = setting;
      if (!file.values.has(key) || this.sources.has(key)) continue;
      const value = file.values.get(key);
      this.sources.set(key, { kind: 'file', place: file.place(key) });
      this.#values.set(setting, { value, text: String(value) });
    }
  }

  /** What the schema complains of, with who said it. */
  problemOf(issue: { readonly path: readonly PropertyKey[]; readonly message: string }): Problem {
    const path = issue.path.map(String);
    const setting = SETTINGS.find(
      (known) => known.path.join() === path.slice(0, known.path.length).join(),
    );
    const text = setting && this.#values.get(setting)?.text;
    const place = setting && this.sources.get(setting.key)?.place;
    const said = text === undefined || setting?.secret ? '' : `=${text}`;
    return {
      place: place ?? setting?.key ?? path.join('.'),
      message: `${setting?.key ?? ''}${said}: ${issue.message}`,
    };
  }

  #add(setting: Setting, text: string, source: Source): void {
    if (this.sources.has(setting.key)) return;
    this.sources.set(setting.key, source);
    this.#values.set(setting, { value: fromText(setting, text), text });
  }
}

function withPaths(config: ReturnType<typeof configSchema.parse>, directory: string): Config {
  const dataDir = resolve(directory, config.dataDir);
  const { socket } = config.api;
  return {
    ...config,
    dataDir,
    outputDir: resolve(directory, config.outputDir ?? join(dataDir, 'output')),
    api: { ...config.api, ...(socket !== undefined && { socket: resolve(directory, socket) }) },
  };
}

/** As the XDG Base Directory Specification says; below the working directory where there is no home. */
function defaultDataDir(env: Environment): string {
  const home = env['XDG_DATA_HOME'] || (env['HOME'] ? join(homedir(), '.local', 'share') : '');
  return home ? join(home, 'kennel') : resolve('kennel-data');
}
