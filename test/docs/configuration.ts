import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SETTINGS, type Setting } from '../../src/config/settings.ts';

/*
 * Writes docs/configuration.md and docs/kennel.schema.json from the schema of the settings; `--check` only says whether the
 * files are what it would write.
 */

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

const HEAD = `# Settings

Generated from \`src/config/\` by \`npm run docs\`; \`npm run check\` fails when it is stale. How the service is started and configured is
told in [guides/service.md](guides/service.md).

A setting is taken from the first of these that has it: the command's option, the environment, the file, the default. One file is read:
the one that \`--config\` names, or else \`KENNEL_CONFIG\`, or else \`kennel.toml\` in the working directory (when it is yours), or else
\`kennel.toml\` in the data directory. Secrets can be kept in files of their own: \`DATABASE_URL_FILE=/run/secrets/database\`. Relative
paths begin in the working directory. *Reloaded* settings follow a change of the file, or \`SIGHUP\`, while the service runs; the others say
why they need a restart.

In editors that know TOML, \`#:schema ./kennel.schema.json\` on the first line, with a copy of [kennel.schema.json](kennel.schema.json) beside
the file, brings completion and checks.
`;

export function configurationDocument(): string {
  const groups = Map.groupBy(SETTINGS, tableOf);
  return [HEAD, ...[...groups].map(([table, settings]) => section(table, settings))].join('\n');
}

const tableOf = ({ key }: Setting): string => (key.includes('.') ? (key.split('.')[0] ?? '') : '');
const nameIn = ({ key }: Setting): string => key.split('.').at(-1) ?? key;

function section(table: string, settings: readonly Setting[]): string {
  return [
    table === '' ? '## At the top of the file' : `## \`[${table}]\``,
    '',
    '| setting | variable | default | values | reloaded |',
    '|---|---|---|---|---|',
    ...settings.map((setting) => row(setting)),
    '',
    ...settings.map((setting) => `- \`${setting.key}\`: ${setting.description}`),
    '',
  ].join('\n');
}

function row(setting: Setting): string {
  const variables = setting.names.map((name) =>
    setting.secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``,
  );
  const name = setting.onlyEnvironment ? `${setting.key} (no file)` : `\`${nameIn(setting)}\``;
  const reloaded = setting.reloadable ? 'yes' : `no: ${setting.fixedBecause}`;
  return `| ${[name, variables.join(', '), defaultOf(setting), valuesOf(setting), reloaded].join(' | ')} |`;
}

function defaultOf({ otherwise, schema }: Setting): string {
  if (otherwise !== undefined) return otherwise;
  const { default: value } = jsonSchema(schema);
  return value === undefined || value === '' ? 'must be given' : `\`${JSON.stringify(value)}\``;
}

function valuesOf({ schema, secret, kind }: Setting): string {
  const { enum: words, minimum, maximum, type } = jsonSchema(schema);
  if (Array.isArray(words)) return words.map((word) => `\`${word}\``).join(', ');
  if (kind === 'list') return 'list of texts';
  if (kind === 'text') return secret ? 'text, secret' : 'text';
  const least = minimum === undefined ? '' : ` from ${minimum}`;
  const most = maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum}`;
  return `${type === 'integer' ? 'whole number' : 'number'}${least}${most}`;
}

/** What is ours in `.meta()`, and means nothing to an editor. */
const OURS = ['reloadable', 'fixedBecause', 'secret', 'env', 'onlyEnvironment', 'otherwise'];

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const all = z.toJSONSchema(schema, { io: 'input' });
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => !OURS.includes(name) && name !== '$schema'),
  );
}

/** What a `kennel.toml` may say. The number of cores is this machine's, so it is left out. */
export function configurationSchema(): string {
  const inFiles = SETTINGS.filter(({ onlyEnvironment }) => !onlyEnvironment);
  const tables = Map.groupBy(inFiles, tableOf);
  const properties = [...tables].flatMap(([table, settings]): [string, unknown][] => {
    const entries = settings.map((setting): [string, unknown] => {
      const { default: value, ...schema } = jsonSchema(setting.schema);
      const hasConstant = value !== undefined && setting.otherwise === undefined;
      return [nameIn(setting), hasConstant ? { ...schema, default: value } : schema];
    });
    return table === '' ? entries : [[table, objectOf(entries)]];
  });
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'kennel.toml',
    ...objectOf(properties),
  };
  // Short lists on one line, as the formatter of the repository has them.
  const text = JSON.stringify(schema, null, 2).replaceAll(
    /\[\s+("[^\]]*")\s+\]/g,
    (_, words: string) => `[${words.replaceAll(/\s+/g, ' ')}]`,
  );
  return `${text}\n`;
}

const objectOf = (entries: Iterable<readonly [string, unknown]>) => ({
  type: 'object',
  properties: Object.fromEntries(entries),
  additionalProperties: false,
});

export const GENERATED = [
  { name: 'configuration.md', write: configurationDocument },
  { name: 'kennel.schema.json', write: configurationSchema },
] as const;

if (import.meta.main) {
  for (const { name, write } of GENERATED) {
    const file = join(DOCS, name);
    if (!process.argv.includes('--check')) writeFileSync(file, write());
    else if (readFileSync(file, 'utf8') !== write()) {
      process.stderr.write(`docs/${name} is stale: run "npm run docs"\n`);
      process.exitCode = 1;
    }
  }
}
