import { resolve } from 'node:path';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';

/** What somebody asks for, as it comes from a command line or an API. */
export interface JobRequest {
  readonly url: string;
  /** Other links to the same stream, in order of preference. */
  readonly fallbacks?: readonly string[] | undefined;
  /** Record all links at once. Default: the next one only when one fails. */
  readonly dual?: boolean | undefined;
  /** `http://[user:password@]host:port`. */
  readonly proxy?: string | undefined;
  /** `default`, `all`, or languages and names, separated by commas. */
  readonly audio?: string | undefined;
  /** `all`, `none`, or languages and names, separated by commas. */
  readonly subtitles?: string | undefined;
  /** Wishes in order of preference, separated by commas. Default: `best`. */
  readonly quality?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly waitMs?: number | undefined;
  readonly patienceMs?: number | undefined;
  /** File, or directory with a slash behind. Default: the working directory. */
  readonly output?: string | undefined;
  readonly keepSegments?: boolean | undefined;
}

/**
 * A source may be silent for so long before it counts as gone. Origins restart in seconds and encoders in a minute; two
 * minutes cost nothing but the wait when a stream ends without saying so.
 */
const PATIENCE_MS_DEFAULT = 120_000;

/** RFC 9110: a field name is a token; a value has no control characters but tabs. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FIELD_VALUE_BAD = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Links of one job. Each may be polled at once; nobody has more sources of one stream than this. */
export const LINKS_MAX = 8;

/**
 * Checks a request and fills in the defaults.
 *
 * @throws KennelError `url.invalid`, `usage.invalid`
 */
export function jobSpec(request: JobRequest): JobSpec {
  const { durationMs, headers, audio, subtitles } = request;
  const quality = wishesOf(request.quality ?? 'best', 'The quality has an empty wish', '720p,best');
  assertHeaders(headers);
  if (durationMs !== undefined && !(durationMs > 0))
    throw new KennelError('usage.invalid', 'The duration must be longer than nothing.');
  return {
    ...sourcesOf(request),
    quality,
    ...(durationMs !== undefined && { durationMs }),
    ...(headers && { headers }),
    ...(request.proxy !== undefined && { proxy: checkedProxy(request.proxy) }),
    ...(audio !== undefined && { audio: audioWishes(audio) }),
    ...(subtitles !== undefined && { subtitles: subtitleWishes(subtitles) }),
    waitMs: request.waitMs ?? 0,
    patienceMs: request.patienceMs ?? PATIENCE_MS_DEFAULT,
    output: absoluteOutput(request.output ?? './'),
    keepSegments: request.keepSegments ?? false,
  };
}

function assertHeaders(headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers))
    if (!FIELD_NAME.test(name) || FIELD_VALUE_BAD.test(value))
      throw new KennelError(
        'usage.invalid',
        `The header ${JSON.stringify(name)} is not one that HTTP allows.`,
      );
}

function sourcesOf({
  url,
  fallbacks = [],
  dual = false,
}: JobRequest): Pick<JobSpec, 'url' | 'fallbacks' | 'dual'> {
  const links = [url, ...fallbacks].map(checkedUrl);
  if (new Set(links).size < links.length)
    throw new KennelError('usage.invalid', 'A fallback must be another link than the others.');
  if (links.length > LINKS_MAX)
    throw new KennelError('usage.invalid', `A job may have ${LINKS_MAX} links at most.`);
  if (dual && links.length < 2)
    throw new KennelError('usage.invalid', 'Dual recording needs a second link: give a fallback.');
  return {
    url,
    ...(fallbacks.length > 0 && { fallbacks }),
    ...(dual && { dual }),
  };
}

function wishesOf(text: string, problem: string, example: string): string[] {
  const wishes = text.split(',').map((wish) => wish.trim());
  if (wishes.some((wish) => wish === ''))
    throw new KennelError('usage.invalid', `${problem}; write it as "${example}".`);
  return wishes;
}

function audioWishes(text: string): string[] {
  const wishes = wishesOf(text, 'The audio has an empty wish', 'en,de');
  if (isMixed(wishes, 'all'))
    throw new KennelError('usage.invalid', 'The audio is "all" or a list of wishes, not both.');
  return wishes;
}

function subtitleWishes(text: string): string[] {
  const wishes = wishesOf(text, 'The subtitles have an empty wish', 'en,de');
  if (isMixed(wishes, 'all') || isMixed(wishes, 'none'))
    throw new KennelError(
      'usage.invalid',
      'The subtitles are "all", "none" or a list of wishes, not several of these.',
    );
  return wishes;
}

const isMixed = (wishes: readonly string[], word: string): boolean =>
  wishes.length > 1 && wishes.some((wish) => wish.toLowerCase() === word);

/** Its user and password stay out of what is said about it. */
function checkedProxy(text: string): string {
  const proxy = URL.parse(text);
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return text;
  throw new KennelError(
    'usage.invalid',
    proxy
      ? `A proxy is an http or https link; ${proxy.protocol}//… is none that Kennel can use.`
      : 'The proxy is not a link; write it as "http://host:port".',
  );
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new KennelError(
    'url.invalid',
    url
      ? `The link ${text} is not http or https; Kennel records HLS over these two.`
      : `${JSON.stringify(text)} is not a link. It begins with http:// or https://.`,
  );
}

/** Keeps the slash that tells a directory from a file. */
const absoluteOutput = (output: string): string =>
  output.endsWith('/') || output === '.'
    ? `${resolve(output)}/`.replace('//', '/')
    : resolve(output);
