import { Secret } from '../core/secret.ts';
import type { LoadedConfig, Source } from './load.ts';
import { SETTINGS, valueAt } from './settings.ts';

/** A setting as it may be shown. */
export interface ConfigView {
  readonly key: string;
  /** Null where nothing is set; `[redacted]` for a secret that is. */
  readonly value: string | number | readonly string[] | null;
  readonly source: Source['kind'];
  /** `kennel.toml:12`, `KENNEL_API_PORT`, `--port`; absent for a default. */
  readonly place?: string;
  readonly reloadable: boolean;
  readonly secret: boolean;
  readonly description: string;
}

/** Every setting, in the order of the reference. */
export const configView = ({
  config,
  sources,
}: Pick<LoadedConfig, 'config' | 'sources'>): ConfigView[] =>
  SETTINGS.map(({ key, path, reloadable = false, secret = false, description }) => {
    const { kind, place } = sources.get(key) ?? { kind: 'default' };
    return {
      key,
      value: shown(valueAt(config, path), secret),
      source: kind,
      ...(place !== undefined && { place }),
      reloadable,
      secret,
      description,
    };
  });

/** A value for people and logs. */
export function shown(value: unknown, isSecret: boolean): ConfigView['value'] {
  if (value === undefined) return null;
  if (isSecret || value instanceof Secret) return String(new Secret(''));
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(String);
  throw new Error(`a setting is a ${typeof value}, which nobody can write`);
}
