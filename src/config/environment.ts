import { readFileSync } from 'node:fs';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { didYouMean } from './didYouMean.ts';
import type { Problem } from './problem.ts';
import { SETTINGS, type Setting } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable says of a setting. */
export interface FromEnvironment {
  readonly text: string;
  /** The variable. */
  readonly place: string;
  /** The file that the text was read from. */
  readonly file?: string;
}

/**
 * What Kubernetes puts into every container for a Service named `kennel-api`: an address under the very name of our variable.
 * Nobody who means a port writes so.
 */
const SERVICE_LINK = /^tcp:\/\//;

/** What the environment says of one setting. An empty variable says nothing. */
export function fromEnvironment(
  setting: Pick<Setting, 'names' | 'kind' | 'secret'>,
  env: Environment,
): { readonly found?: FromEnvironment; readonly problems: readonly Problem[] } {
  for (const name of setting.names) {
    const text = env[name];
    const file = setting.secret ? env[`${name}_FILE`] : undefined;
    if (text && file) {
      const message = `is set, and so is ${name}; one of them has to go`;
      return { problems: [{ place: `${name}_FILE`, message }] };
    }
    if (file) return fromSecretFile(`${name}_FILE`, file);
    if (!text || (setting.kind === 'number' && SERVICE_LINK.test(text))) continue;
    return { found: { text, place: name }, problems: [] };
  }
  return { problems: [] };
}

/** Docker and Kubernetes mount secrets as files; editors leave a line feed at their end. */
function fromSecretFile(place: string, file: string) {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return { found: { text, place, file }, problems: [] };
    return { problems: [{ place, message: `${file} is empty` }] };
  } catch (error) {
    const why = systemCodeOf(error) === 'ENOENT' ? 'is not there' : messageOf(error);
    return { problems: [{ place, message: `${file} ${why}` }] };
  }
}

/** Variables of ours that are no settings. */
const OTHERS = [
  'KENNEL_CONFIG',
  'KENNEL_NODE',
  'KENNEL_JOB',
  'KENNEL_URL',
  'KENNEL_KEY',
  'KENNEL_SERVER',
  'KENNEL_API_KEY',
  'KENNEL_API_KEY_FILE',
];

/** Variables that look like a setting with a typing error. Others that begin with KENNEL_ are not ours to judge. */
export function misspelt(env: Environment): Problem[] {
  const known = SETTINGS.flatMap(({ names, secret }) =>
    secret ? names.flatMap((name) => [name, `${name}_FILE`]) : names,
  );
  const ours = [...known, ...OTHERS];
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('KENNEL_') || ours.includes(name)) return [];
    const near = didYouMean(
      name.slice(7),
      known.map((one) => one.replace(/^KENNEL_/, '')),
      2,
    );
    const meant = known.find((one) => one.replace(/^KENNEL_/, '') === near);
    if (meant === undefined) return [];
    return [{ place: name, message: `there is no such variable; did you mean ${meant}?` }];
  });
}
