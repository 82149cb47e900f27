import { z } from 'zod';
import { configSchema } from './schema.ts';
import type { SettingMeta } from './setting.ts';

/** How a setting is written where there is nothing but text. */
type Kind = 'text' | 'number' | 'list';

/** One setting, as every way to give it sees it. */
export interface Setting extends SettingMeta {
  /** Its place in `Config`: `['api', 'corsOrigins']`. */
  readonly path: readonly string[];
  /** Its name in files and in what is shown: `api.cors_origins`. */
  readonly key: string;
  readonly names: readonly string[];
  readonly kind: Kind;
  readonly schema: z.ZodType;
}

/** All settings, in the order of the schema. */
export const SETTINGS: readonly Setting[] = settingsOf(configSchema, []);

function settingsOf(schema: z.ZodObject, above: readonly string[]): Setting[] {
  return Object.entries(schema.shape).flatMap(([name, value]) => {
    const path = [...above, name];
    const bare = bareSchema(value);
    if (bare instanceof z.ZodObject) return settingsOf(bare, path);
    if (!(value instanceof z.ZodType)) throw new Error(`${path} has no schema`);
    // Every setting is made by `setting`, which takes nothing else; the test of the reference reads all of them.
    const meta = value.meta() as SettingMeta | undefined;
    if (meta === undefined) throw new Error(`${path} does not say what it is`);
    const key = path.map(snakeCase).join('.');
    const names = meta.env ?? [`KENNEL_${key.replace('.', '_').toUpperCase()}`];
    return [{ ...meta, path, key, names, kind: kindOf(bare), schema: value }];
  });
}

/** The schema of the value itself, below defaults, options and what is made of it. */
function bareSchema(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return bareSchema(schema.unwrap());
  return schema instanceof z.ZodPipe ? bareSchema(schema.in) : schema;
}

function kindOf(bare: z.core.$ZodType): Kind {
  if (bare instanceof z.ZodNumber) return 'number';
  return bare instanceof z.ZodArray ? 'list' : 'text';
}

/** `hostMemoryMiB` → `host_memory_mib`. */
function snakeCase(name: string): string {
  return name.replace('MiB', 'Mib').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A text as the schema wants it. What is no number stays as it is, so that the schema says so. */
export function fromText({ kind }: Pick<Setting, 'kind'>, text: string): unknown {
  if (kind === 'list') return text.split(/[\s,]+/).filter(Boolean);
  const trimmed = text.trim();
  return kind === 'number' && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : text;
}

/** A nested object of values by path. */
export function nested(values: Iterable<readonly [readonly string[], unknown]>) {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    let at = root;
    for (const name of path.slice(0, -1)) {
      // Nothing but what this loop has put there.
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[path.at(-1) ?? ''] = value;
  }
  return root;
}

/** What stands at a path of nested objects. */
export const valueAt = (root: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (at, name) =>
      // The keys of settings are asked for, never what others have written.
      typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined,
    root,
  );
