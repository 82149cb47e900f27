import { stripVTControlCharacters } from 'node:util';
import { KennelError } from '../core/errors.ts';
import { printable } from './controlCharacters.ts';
import type { IntakeRefusal } from './link.ts';
import { refusedByGate } from './refusedByGate.ts';

/** What yt-dlp left behind when it brought nothing. */
export interface YtDlpFailure {
  /** The end of its standard error. */
  readonly stderr: string;
  readonly version: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** What the egress gate refused it, `host:port`. */
  readonly refused: readonly string[];
  /** It was ended because it took too long or said too much, or could not be started. */
  readonly broken?: string;
}

interface Meaning {
  readonly code: IntakeRefusal;
  readonly retryable: boolean;
  /** What next. */
  readonly advice: string;
}

/** Sites change all the time; a yt-dlp that is older than so many days is the first suspect when it cannot read one. */
const OLD_AFTER_DAYS = 120;
const DAY_MS = 86_400_000;
/** Of its own words, characters. */
const WORDS_MAX = 300;

const NOT_LIVE: Meaning = {
  code: 'source.notLive',
  retryable: true,
  advice: 'Give --wait to wait for it.',
};
const LOGIN: Meaning = {
  code: 'source.login',
  retryable: false,
  advice: 'Give the cookies of a browser that may see it: --cookies FILE.',
};
const GEO: Meaning = {
  code: 'source.geo',
  retryable: false,
  advice: 'It can be recorded from another country, or through a proxy there: --proxy URL.',
};
const ENCRYPTED: Meaning = {
  code: 'source.encrypted',
  retryable: false,
  advice: 'Kennel records nothing that is protected by DRM.',
};
const GONE: Meaning = {
  code: 'source.notFound',
  retryable: true,
  advice: 'Look whether the link is right and still there.',
};
const UNSUPPORTED: Meaning = {
  code: 'source.unsupported',
  retryable: false,
  advice: 'Give the link of the stream itself, or the page of a single broadcast.',
};
const REFUSED: Meaning = {
  code: 'source.refused',
  retryable: true,
  advice: 'It may want cookies (--cookies), headers (--header) or another way there (--proxy).',
};
const AWAY: Meaning = { code: 'source.unavailable', retryable: true, advice: 'Try again later.' };
const NO_SUCH_FORMAT: Meaning = {
  code: 'quality.notFound',
  retryable: false,
  advice: 'kennel probe lists the formats that there are.',
};

/**
 * What its messages mean, the first that fits. They come from some 1,800 sites: the words are those that its extractors have in
 * common, and those of the sites with the most live streams. Words of sites go before the numbers of HTTP, which they may contain.
 */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/\bDRM\b/, ENCRYPTED],
  [
    /(?:live event|premiere|stream|broadcast|event)s? will (?:begin|start)|\bpremieres? in\b|\bbegins? (?:in|at)\b|waiting for .* to (?:begin|start)|before the broadcast starts|scheduled (?:for|to start)|is_?upcoming|upcoming (?:live|event|stream)/i,
    NOT_LIVE,
  ],
  [
    /\b(?:is|are|now|currently|stream|user|room|event is) offline\b|\bnot (?:currently )?(?:live|online|streaming|broadcasting|on air)\b|n[o']t (?:live|started|begun|streaming)|has not (?:yet )?(?:started|begun)|not started( yet)?|no (?:active|ongoing|current) (?:stream|broadcast|live)|isn'?t (?:currently )?live|not live anymore/i,
    NOT_LIVE,
  ],
  [
    /geo.?(?:restrict|block)|not available (?:in|from) your (?:country|location|region|area)|in your country|blocked (?:it )?(?:in|outside)|restricted in (?:your )?region|your (?:location|region) is/i,
    GEO,
  ],
  [
    /registered users|log(?:ged)?.?in\b|\bsign(?:ed)? in\b|--cookies|--username|(?:premium|paying) (?:members|users)|subscri(?:ber|ption|be to)|members.only|join this channel|private video|(?:video|playlist|recording) is private|private show|age.restricted|confirm your age|requires? (?:a )?(?:password|payment|authentication)|account (?:is )?(?:needed|required)|HTTP Error 401|members on level/i,
    LOGIN,
  ],
  [/Requested format is not available/i, NO_SUCH_FORMAT],
  [
    /Unsupported URL|is not a valid URL|no (?:video|media) (?:formats )?found|There(?:'s| is) no video|No video could be found|No video in this/i,
    UNSUPPORTED,
  ],
  [
    /HTTP Error (?:404|410)|does not exist|no longer available|has been (?:removed|deleted|terminated)|video unavailable|not found|live event has ended|live stream recording is not available/i,
    GONE,
  ],
  [/HTTP Error (?:403|451|406)|Tunnel connection failed: 403|Cloudflare/i, REFUSED],
  [
    /HTTP Error (?:4\d\d|5\d\d)|Tunnel connection failed|urlopen error|timed out|timeout|Temporary failure in name resolution|Name or service not known|Failed to resolve|getaddrinfo|Connection (?:refused|reset|aborted)|Remote end closed|Network is unreachable|No route to host|IncompleteRead|SSL:|certificate verify failed|TransportError|RemoteDisconnected|ProxyError|Unable to connect to proxy/i,
    AWAY,
  ],
];

/** What its standard error means, as far as it is about the source; undefined when it says nothing of that. */
export function ytDlpMeaning(
  stderr: string,
): { readonly meaning: Meaning; readonly words: string } | undefined {
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  for (const [pattern, meaning] of MEANINGS) {
    const line = errors.findLast((one) => pattern.test(withoutLink(one)));
    if (line !== undefined) return { meaning, words: wordsOf(line) };
  }
  return undefined;
}

/** Why yt-dlp could not tell what is behind a page: what happened, and what to do. */
export function ytDlpFailure(failure: YtDlpFailure): KennelError {
  const { stderr, version, refused, broken } = failure;
  const found = ytDlpMeaning(stderr);
  const details = { resolver: `yt-dlp ${version}` };
  // It cannot tell the gate's 403 from a site's: whatever it makes of that is no word of the site.
  if (refused.length > 0)
    return refusedBehindPage(refused, { ...details, ...(found && { said: found.words }) });
  if (found !== undefined) {
    const { code, retryable, advice } = found.meaning;
    return new KennelError(code, `${found.words} ${advice}`, { retryable, details });
  }
  if (broken !== undefined) {
    return new KennelError('tool.failed', `yt-dlp ${version} was asked in vain: ${broken}.`, {
      retryable: true,
      details,
    });
  }
  const said = wordsOf(
    stderr
      .trim()
      .split('\n')
      .findLast((line) => line.trim() !== '') ?? '',
  );
  const ageDays = ageOf(version, failure.now);
  if (ageDays !== undefined && ageDays > OLD_AFTER_DAYS) {
    return new KennelError(
      'tool.outdated',
      `yt-dlp ${version} is ${ageDays} days old and cannot read this page any more: ${said} Install a newer one; kennel doctor tells how.`,
      { details: { ...details, ageDays } },
    );
  }
  return new KennelError('tool.failed', `yt-dlp ${version} failed: ${said || 'it said nothing.'}`, {
    retryable: true,
    details,
  });
}

/** What a page leads to was not let through. `refused`: `host:port`, at least one. */
export const refusedBehindPage = (
  refused: readonly string[],
  details: Readonly<Record<string, unknown>>,
): KennelError =>
  refusedByGate(refused, `The page leads to ${refused.join(', ')}, which is not public.`, details);

/** How old a version of yt-dlp is, days; its name is the date of its making. */
function ageOf(version: string, now: number): number | undefined {
  const [, year, month, day] = /^(\d{4})\.(\d{1,2})\.(\d{1,2})/.exec(version) ?? [];
  if (year === undefined) return undefined;
  return Math.floor((now - Date.UTC(Number(year), Number(month) - 1, Number(day))) / DAY_MS);
}

/** Its own sentence, without what it says around every error, and without what may be secret in links. */
function wordsOf(line: string): string {
  const said = withoutQueries(stripVTControlCharacters(line))
    .replace(/^ERROR:\s*/, '')
    .replace(/^\[[\w:.+-]+\]\s*(?:[\w-]{1,64}:\s+)?/, '')
    .replace(/;? please report this issue on .*$/, '')
    .replace(/\s*\(caused by .*$/, '');
  const plain = printable(said, WORDS_MAX);
  return plain === '' || /[.!?]$/.test(plain) ? plain : `${plain}.`;
}

const withoutQueries = (text: string): string =>
  text.replace(/([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"']*@)?([^\s?#"']*)(?:[?#][^\s"']*)?/gi, '$1$2');

/** The words of a page's own address are not the site's. */
const withoutLink = (line: string): string => line.replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, '<link>');
