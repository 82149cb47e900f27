import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { Secret } from '../core/secret.ts';
import { type ConfigView, configView, shown } from './configView.ts';
import type { LoadedConfig, Source } from './load.ts';
import type { Config } from './schema.ts';
import { nested, SETTINGS, type Setting, valueAt } from './settings.ts';

/** What a reload did. Values as they may be shown. */
export interface ConfigReload {
  readonly changed: readonly {
    readonly key: string;
    readonly from: ConfigView['value'];
    readonly to: ConfigView['value'];
  }[];
  /** What was changed in its source, yet stays as it is until a restart. */
  readonly refused: readonly { readonly key: string; readonly why: string }[];
  /** Why nothing could be read; everything stays as it is. */
  readonly error?: string;
}

export interface LiveConfigOptions {
  /** Reads all sources again. Throws for what is not valid. */
  load(): LoadedConfig;
  readonly log: Log;
}

/**
 * The settings that hold now. Who wants to follow a change reads `current` each time, or listens; whoever read a value once goes
 * on with it, which is why a key is only tagged `reloadable` when everybody who reads it follows.
 */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  readonly #listeners = new Set<(config: Config) => void>();
  #loaded: LoadedConfig;

  constructor(first: LoadedConfig, options: LiveConfigOptions) {
    this.#loaded = first;
    this.#options = options;
  }

  get current(): Config {
    return this.#loaded.config;
  }

  /** What was read, with the files that a change has to be looked for in. */
  get loaded(): LoadedConfig {
    return this.#loaded;
  }

  view(): readonly ConfigView[] {
    return configView(this.#loaded);
  }

  /** Calls back after every reload that changed something; returns how to stop. */
  onChange(listener: (config: Config) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads everything again and takes over what may change while the service runs. Never throws. */
  reload(why: string): ConfigReload {
    const { log } = this.#options;
    let next: LoadedConfig;
    try {
      next = this.#options.load();
    } catch (error) {
      const message = messageOf(error);
      log('error', 'the new settings are not valid, the old ones stay', { why, error: message });
      return { changed: [], refused: [], error: message };
    }
    const different = SETTINGS.filter(({ path }) => !isSame(this.#loaded, next, path));
    const taken = different.filter(({ reloadable }) => reloadable);
    const report: ConfigReload = {
      changed: taken.map(({ key, path, secret = false }) => ({
        key,
        from: shown(valueAt(this.current, path), secret),
        to: shown(valueAt(next.config, path), secret),
      })),
      refused: different
        .filter(({ reloadable }) => !reloadable)
        .map(({ key, fixedBecause = '' }) => ({
          key,
          why: `${fixedBecause}: restart to change it`,
        })),
    };
    this.#loaded = merged(this.#loaded, next, different);
    for (const change of report.changed) log('info', 'a setting has changed', { why, ...change });
    for (const { key, why: reason } of report.refused)
      log('warn', 'a setting was changed that stays as it is', { key, reason });
    if (taken.length > 0) for (const listener of this.#listeners) listener(this.current);
    return report;
  }
}

function isSame(one: LoadedConfig, other: LoadedConfig, path: readonly string[]): boolean {
  const value = valueAt(one.config, path);
  const next = valueAt(other.config, path);
  return value instanceof Secret ? value.equals(next) : isDeepStrictEqual(value, next);
}

/** The new settings, but for those that cannot change while the service runs: they stay, and so does who said them. */
function merged(
  old: LoadedConfig,
  next: LoadedConfig,
  different: readonly Setting[],
): LoadedConfig {
  const sources = new Map<string, Source>(next.sources);
  const values = SETTINGS.map(({ key, path, reloadable }): [readonly string[], unknown] => {
    if (reloadable) return [path, valueAt(next.config, path)];
    if (different.some((setting) => setting.key === key)) {
      const source = old.sources.get(key);
      if (source) sources.set(key, source);
      else sources.delete(key);
    }
    return [path, valueAt(old.config, path)];
  });
  // All settings, each from one of two configurations that are valid.
  return { ...next, config: nested(values) as unknown as Config, sources };
}
