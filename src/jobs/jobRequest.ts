import { resolve } from 'node:path';
import type { JobSpec, WatchLimits } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';
import { addressRules } from '../egress/addressRules.ts';
import { reachOfLinks, upgradeOf } from '../egress/reachOfLinks.ts';
import { hasControlCharacter } from '../intake/controlCharacters.ts';
import { LINK_SCHEMES_TEXT, linkKind } from '../intake/linkKind.ts';
import { netscapeCookies } from '../intake/netscapeCookies.ts';

export { COOKIE_FILE_BYTES_MAX } from '../intake/netscapeCookies.ts';

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
  /** When to end at the latest, milliseconds since the epoch. That it lies in the future is the caller's to see to. */
  readonly endAt?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly waitMs?: number | undefined;
  readonly patienceMs?: number | undefined;
  /** File, or directory with a slash behind. Default: the working directory. */
  readonly output?: string | undefined;
  readonly keepSegments?: boolean | undefined;
  /** Only the sound is kept. */
  readonly audioOnly?: boolean | undefined;
  /** `native`, or the name of a program. Default: whoever can do it best. */
  readonly recorder?: string | undefined;
  /** As yt-dlp's `-f` takes it. */
  readonly format?: string | undefined;
  /** The text of a Netscape cookie file. */
  readonly cookies?: string | undefined;
  /** What may be reached although it is not public: CIDR, IP addresses or host names, each with `:port` or without. */
  readonly allow?: readonly string[] | undefined;
  readonly bytesPerSecondMax?: number | undefined;
  readonly watch?: WatchLimits | undefined;
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

/** Texts that are no list of wishes, UTF-16 units: links with signed tokens stay below 8 KiB, and so do paths. */
const TEXT_CHARACTERS_MAX = 16 * 1024;
/** Entries of `allow`. Whoever has more writes networks. */
const ALLOW_MAX = 64;
/** An end before the year 2000 is no date, but seconds that were taken for milliseconds, or a length of time. */
const END_AT_MIN = Date.UTC(2000, 0, 1);
/** The last moment that a date can name (ECMAScript). */
const END_AT_MAX = 8.64e15;
/** Names of recorders. */
const RECORDER_NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/;

/** Links of one job. Each may be polled at once; nobody has more sources of one stream than this. */
export const LINKS_MAX = 8;

/** What whoever asks may do besides. */
export interface Trust {
  /** Whether the links that they give may be to private addresses, and further ones be allowed. Default: true. */
  readonly mayReachPrivate?: boolean;
}

/**
 * Checks a request and fills in the defaults.
 *
 * @throws KennelError `url.invalid`, `usage.invalid`, `access.forbidden`
 */
export function jobSpec(request: JobRequest, { mayReachPrivate = true }: Trust = {}): JobSpec {
  const { durationMs, endAt, headers, audio, subtitles, cookies, audioOnly = false } = request;
  assertTexts(request);
  const quality = wishesOf(request.quality ?? 'best', 'The quality has an empty wish', '720p,best');
  assertHeaders(headers);
  if (durationMs !== undefined && !(durationMs > 0))
    throw new KennelError('usage.invalid', 'The duration must be longer than nothing.');
  if (endAt !== undefined && !(endAt >= END_AT_MIN && endAt <= END_AT_MAX))
    throw new KennelError('usage.invalid', 'The end is a date, in milliseconds since 1970.');
  if (request.output === '') throw new KennelError('usage.invalid', 'The output is empty.');
  if (cookies !== undefined) netscapeCookies(cookies);
  if (audioOnly) assertSoundAlone(request);
  return {
    ...sourcesOf(request),
    quality,
    ...(durationMs !== undefined && { durationMs }),
    ...(endAt !== undefined && { endAt }),
    ...(headers && { headers }),
    ...(request.proxy !== undefined && { proxy: checkedProxy(request.proxy) }),
    ...(audio !== undefined && { audio: audioWishes(audio) }),
    ...(audioOnly && { audioOnly }),
    ...(subtitles !== undefined && { subtitles: subtitleWishes(subtitles) }),
    ...recorderOf(request),
    ...(cookies !== undefined && { cookies }),
    ...(mayReachPrivate ? reachOf(request) : withoutReach(request)),
    ...limitsOf(request),
    waitMs: request.waitMs ?? 0,
    patienceMs: request.patienceMs ?? PATIENCE_MS_DEFAULT,
    output: absoluteOutput(request.output ?? './'),
    keepSegments: request.keepSegments ?? false,
  };
}

/** Control characters end lines and strings of whatever reads a text later; half a surrogate pair cannot be stored. */
function assertTexts(request: JobRequest): void {
  const { url, fallbacks = [], proxy, audio, subtitles, quality, output } = request;
  const { recorder, format, allow = [], headers = {} } = request;
  const texts: readonly (readonly [name: string, text: string | undefined])[] = [
    ...[url, ...fallbacks].map((link) => ['link', link] as const),
    ['proxy', proxy],
    ['audio', audio],
    ['subtitles', subtitles],
    ['quality', quality],
    ['output', output],
    ['recorder', recorder],
    ['format', format],
    ...allow.map((entry) => ['allowed address', entry] as const),
    ...Object.values(headers).map((value) => ['header', value.replaceAll('\t', ' ')] as const),
  ];
  for (const [name, text = ''] of texts) {
    const code = name === 'link' ? 'url.invalid' : 'usage.invalid';
    if (hasControlCharacter(text) || !text.isWellFormed())
      throw new KennelError(code, `The ${name} has a control character or half of one.`);
    if (text.length > TEXT_CHARACTERS_MAX)
      throw new KennelError(code, `The ${name} is longer than ${TEXT_CHARACTERS_MAX} characters.`);
  }
}

/** Beside nothing but the sound there is no other sound, and nothing to read below a picture. */
function assertSoundAlone({ audio, subtitles = 'all' }: JobRequest): void {
  const isPlain = ['all', 'none'].includes(subtitles.trim().toLowerCase());
  if (audio === undefined && isPlain) return;
  throw new KennelError(
    'usage.invalid',
    'Nothing but the sound is asked for: leave out the wishes for audio and subtitles, or ask for the picture too.',
  );
}

function recorderOf({ url, recorder, format }: JobRequest): Pick<JobSpec, 'recorder' | 'format'> {
  if (recorder !== undefined && !RECORDER_NAME.test(recorder))
    throw new KennelError(
      'usage.invalid',
      `${JSON.stringify(recorder)} is not the name of a recorder; kennel doctor lists them.`,
    );
  if (recorder === 'native' && !isWebLink(url))
    throw new KennelError(
      'usage.invalid',
      'The native recorder takes http and https links only; leave the recorder out, and one is chosen.',
    );
  if (format?.trim() === '') throw new KennelError('usage.invalid', 'The format is empty.');
  return { ...(recorder !== undefined && { recorder }), ...(format !== undefined && { format }) };
}

/** The operator's own links may be wherever they are; what else is private has to be named. */
function reachOf({ url, fallbacks = [], proxy, allow = [] }: JobRequest): Pick<JobSpec, 'reach'> {
  const entries = allow.map((entry) => entry.trim()).filter((entry) => entry !== '');
  if (entries.length > ALLOW_MAX)
    throw new KennelError('usage.invalid', `A job may allow ${ALLOW_MAX} addresses at most.`);
  // It throws for an entry that cannot be read.
  addressRules(entries);
  const links = [url, ...fallbacks];
  const upgrades = links.map(upgradeOf).filter((link) => link !== undefined);
  const reached = reachOfLinks([...links, ...upgrades, ...(proxy === undefined ? [] : [proxy])]);
  const reach = [...new Set([...reached, ...entries])];
  return reach.length > 0 ? { reach } : {};
}

/** What is private may be named by the operator alone: a link of anybody else is no permission. */
function withoutReach({ allow = [] }: JobRequest): Pick<JobSpec, 'reach'> {
  if (allow.length === 0) return {};
  throw new KennelError(
    'access.forbidden',
    'Only an admin may allow private addresses; ask one to submit the job, or to allow the address for this installation.',
  );
}

function limitsOf({
  bytesPerSecondMax,
  watch = {},
}: JobRequest): Pick<JobSpec, 'bytesPerSecondMax' | 'watch'> {
  if (bytesPerSecondMax !== undefined && !(bytesPerSecondMax >= 1))
    throw new KennelError('usage.invalid', 'The bandwidth must be more than nothing.');
  const { firstMediaMs, staleMs } = watch;
  for (const limit of [firstMediaMs, staleMs])
    if (limit !== undefined && !(limit > 0))
      throw new KennelError(
        'usage.invalid',
        'A time to wait for media must be longer than nothing.',
      );
  const limits = {
    ...(firstMediaMs !== undefined && { firstMediaMs }),
    ...(staleMs !== undefined && { staleMs }),
  };
  return {
    ...(bytesPerSecondMax !== undefined && { bytesPerSecondMax }),
    ...(Object.keys(limits).length > 0 && { watch: limits }),
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
  const links = [url, ...fallbacks];
  for (const link of links) checkedUrl(link);
  for (const fallback of fallbacks)
    if (!isWebLink(fallback) || !isWebLink(url))
      throw new KennelError(
        'url.invalid',
        `Fallbacks are for HLS over http and https, and ${isWebLink(url) ? withoutQuery(fallback) : withoutQuery(url)} is not.`,
      );
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

function checkedUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null)
    throw new KennelError(
      'url.invalid',
      `${JSON.stringify(text)} is not a link. It begins with ${LINK_SCHEMES_TEXT}, and ://.`,
    );
  linkKind(url);
  if (url.hostname === '') throw new KennelError('url.invalid', 'The link names no host.');
  return url;
}

/** A link, as far as it may be told. */
function withoutQuery(text: string): string {
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`;
}

const isWebLink = (text: string): boolean => /^https?:/i.test(text.trim());

/** Keeps the slash that tells a directory from a file. */
const absoluteOutput = (output: string): string =>
  output.endsWith('/') || output === '.'
    ? `${resolve(output)}/`.replace('//', '/')
    : resolve(output);
