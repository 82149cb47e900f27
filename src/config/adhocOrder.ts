import { KennelError } from '../core/errors.ts';
import type { Environment } from './environment.ts';

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

/** What is done without a command line; undefined where nobody says. Throws `config.invalid` for an unknown mode. */
export function runningMode({ RUNNING_MODE: mode }: Environment): 'adhoc' | 'api' | undefined {
  if (!mode) return undefined;
  if (mode === 'adhoc' || mode === 'api') return mode;
  throw new KennelError(
    'config.invalid',
    `RUNNING_MODE is ${JSON.stringify(mode)}; "api" starts the service, "adhoc" records MANIFEST_URL. Leave it out to use the command line.`,
  );
}

/** @throws KennelError `config.invalid` for an unknown mode, for `adhoc` without a link, for a switch that is neither. */
export function adhocOrder(env: Environment): AdhocOrder | undefined {
  if (runningMode(env) !== 'adhoc') return undefined;
  const { MANIFEST_URL: url } = env;
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
