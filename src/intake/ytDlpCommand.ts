import { join } from 'node:path';
import { KennelError } from '../core/errors.ts';
import type { QuestionCommand, QuestionPlace } from './cagedQuestion.ts';
import { hasControlCharacter } from './controlCharacters.ts';
import { formatFilter } from './formatFilter.ts';
import type { ResolveOptions } from './link.ts';
import { COOKIE_FILE_HEAD } from './netscapeCookies.ts';

/** Where cookies come from and go to. */
export const COOKIES_FILE = 'cookies.txt';
const CONFIG_FILE = 'yt-dlp.conf';
const LINK_FILE = 'link.txt';

/** Entries of a list of pages that are looked at, so that the refusal can name some of them. */
export const ENTRIES_MAX = 5;
/** Silence on one connection after which yt-dlp gives it up, seconds. */
const SOCKET_TIMEOUT_S = 15;
/** From here on it takes `--js-runtimes`, and sites may want one. */
const JS_RUNTIMES_SINCE = [2025, 11, 12] as const;

export interface YtDlpQuestion {
  readonly link: URL;
  readonly options: ResolveOptions;
  readonly tool: { readonly path: string; readonly version: string };
  /** The Node that runs Kennel, as its JavaScript runtime. */
  readonly nodePath: string;
}

/**
 * How yt-dlp is asked what is behind a page. Nothing that may be secret is in its arguments, the link included: it may hold a
 * token. Nothing of it is read as an option: files have one value a line, quoted, and no control characters.
 */
export function ytDlpCommand(
  { link, options, tool, nodePath }: YtDlpQuestion,
  { workDirectory, pass }: QuestionPlace,
): QuestionCommand {
  const { headers = {}, cookies = '', quality, format, audioOnly = false } = options;
  const wantsRuntime = isSince(tool.version, JS_RUNTIMES_SINCE);
  const lines: (readonly [option: string, value?: string])[] = [
    ['--dump-single-json'],
    ['--no-warnings'],
    ['--no-playlist'],
    ['--flat-playlist'],
    ['--playlist-items', `1:${ENTRIES_MAX}`],
    ['--no-cache-dir'],
    ['--socket-timeout', String(SOCKET_TIMEOUT_S)],
    ['--extractor-retries', '1'],
    ['--proxy', pass.proxyUrl],
    ['--cookies', join(workDirectory, COOKIES_FILE)],
    ['--format', format ?? formatFilter(quality, audioOnly)],
    ...(wantsRuntime ? [['--js-runtimes', `node:${nodePath}`] as const] : []),
    ...Object.entries(headers).map(
      ([name, value]) => ['--add-headers', `${name}:${value}`] as const,
    ),
    ['--batch-file', join(workDirectory, LINK_FILE)],
  ];
  const cookieText = cookies.startsWith('#') ? cookies : COOKIE_FILE_HEAD + cookies;
  return {
    file: tool.path,
    arguments: ['--ignore-config', '--config-locations', join(workDirectory, CONFIG_FILE)],
    files: [
      { name: CONFIG_FILE, content: lines.map(configLine).join('') },
      { name: LINK_FILE, content: `${checkedLink(link)}\n` },
      { name: COOKIES_FILE, content: cookieText.endsWith('\n') ? cookieText : `${cookieText}\n` },
    ],
    readable: [tool.path, ...(wantsRuntime ? [nodePath] : [])],
  };
}

/** Read again by rules of a shell: within single quotes everything is itself but the quote. */
function configLine([option, value]: readonly [string, string?]): string {
  if (value === undefined) return `${option}\n`;
  if (hasControlCharacter(value))
    throw new KennelError('usage.invalid', `The value for ${option} has a control character.`);
  return `${option}='${value.replaceAll("'", `'"'"'`)}'\n`;
}

/** As `URL` writes it there are no blanks and no control characters in it; and it begins with its scheme. */
function checkedLink({ href, protocol }: URL): string {
  if (protocol === 'http:' || protocol === 'https:') return href;
  throw new KennelError('url.invalid', `A page is an http or https link, not ${protocol}…`);
}

function isSince(version: string, since: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of since.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
