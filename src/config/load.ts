import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { KennelError } from '../core/errors.ts';
import { type Config, configSchema, ENVIRONMENT, type Setting } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings: environment, and flags over it. All mistakes are told at once.
 *
 * @throws KennelError `config.invalid`
 */
export function loadConfig(env: Environment, flags: Partial<Record<Setting, string>> = {}): Config {
  const given: Record<string, string> = { dataDir: defaultDataDir(env) };
  for (const [setting, name] of Object.entries(ENVIRONMENT)) {
    const value = flags[setting as Setting] ?? env[name];
    if (value !== undefined && value !== '') given[setting] = value;
  }
  const result = configSchema.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => {
      const setting = path.join('.') as Setting;
      return `${ENVIRONMENT[setting]}=${given[setting]}: ${message}`;
    });
    throw new KennelError(
      'config.invalid',
      `The configuration is not valid: ${problems.join('; ')}`,
      {
        details: { problems },
      },
    );
  }
  return { ...result.data, dataDir: resolve(result.data.dataDir) };
}

/** As the XDG Base Directory Specification says; below the working directory where there is no home. */
function defaultDataDir(env: Environment): string {
  const home = env['XDG_DATA_HOME'] || (env['HOME'] ? join(homedir(), '.local', 'share') : '');
  return home ? join(home, 'kennel') : resolve('kennel-data');
}

/** The form without a command line: `RUNNING_MODE=adhoc MANIFEST_URL=… npm start`. */
export interface AdhocOrder {
  readonly url: string;
  readonly quality?: string;
  readonly duration?: string;
  readonly output?: string;
  readonly fallbacks?: readonly string[];
  readonly dual?: boolean;
  readonly audio?: string;
  readonly subtitles?: string;
  readonly proxy?: string;
  readonly audioOnly?: boolean;
  readonly recorder?: string;
  readonly format?: string;
  /** Path of a Netscape cookie file. */
  readonly cookies?: string;
  readonly allow?: readonly string[];
  readonly bandwidth?: string;
  readonly wait?: string;
  readonly firstMedia?: string;
  readonly staleAfter?: string;
}

/** The variable of each text that is handed on as it is. */
const ADHOC_TEXTS = {
  quality: 'QUALITY',
  duration: 'DURATION',
  output: 'OUTPUT',
  audio: 'AUDIO',
  subtitles: 'SUBTITLES',
  proxy: 'PROXY_URL',
  recorder: 'RECORDER',
  format: 'FORMAT',
  cookies: 'COOKIES',
  bandwidth: 'BANDWIDTH',
  wait: 'WAIT',
  firstMedia: 'FIRST_MEDIA',
  staleAfter: 'STALE_AFTER',
} as const satisfies Partial<Record<keyof AdhocOrder, string>>;

/** What says yes and no in an environment variable. */
const YES: ReadonlySet<string> = new Set(['1', 'true', 'yes', 'on']);
const NO: ReadonlySet<string> = new Set(['', '0', 'false', 'no', 'off']);

/** @throws KennelError `config.invalid` for an unknown mode, for `adhoc` without a link, for a switch that is neither. */
export function adhocOrder(env: Environment): AdhocOrder | undefined {
  const { RUNNING_MODE: mode, MANIFEST_URL: url } = env;
  if (!mode) return undefined;
  if (mode !== 'adhoc')
    throw new KennelError(
      'config.invalid',
      `RUNNING_MODE is ${JSON.stringify(mode)}; "adhoc" is what this version runs. Leave it out to use the command line.`,
    );
  if (!url)
    throw new KennelError(
      'config.invalid',
      'RUNNING_MODE=adhoc needs MANIFEST_URL, the link to record.',
    );
  const given = Object.entries(ADHOC_TEXTS).flatMap(([setting, name]) => {
    const value = env[name];
    return value ? [[setting, value] as const] : [];
  });
  const fallbacks = wordsOf(env['FALLBACK_URLS']);
  const allow = wordsOf(env['ALLOW']);
  return {
    url,
    ...Object.fromEntries(given),
    ...(fallbacks.length > 0 && { fallbacks }),
    ...(allow.length > 0 && { allow }),
    ...(isOn(env, 'DUAL') && { dual: true }),
    ...(isOn(env, 'AUDIO_ONLY') && { audioOnly: true }),
  };
}

const wordsOf = (text = ''): string[] => text.split(/\s+/).filter(Boolean);

function isOn(env: Environment, name: string): boolean {
  const word = (env[name] ?? '').toLowerCase();
  if (YES.has(word)) return true;
  if (NO.has(word)) return false;
  throw new KennelError('config.invalid', `${name} is ${JSON.stringify(word)}; write 1 or 0.`);
}
