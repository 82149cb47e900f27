import { ERROR_CODES, type KennelErrorCode } from '../../core/errors.ts';
import { printable } from '../../intake/controlCharacters.ts';
import type { ExitExplanation, ProgramExit } from '../recorderPlugin.ts';

/** What a message of a program means. */
export interface ExitMeaning {
  readonly pattern: RegExp;
  readonly code: KennelErrorCode;
  readonly retry: boolean;
  /** Without a full stop: what happened, and what to do. */
  readonly sentence: string;
  /** Whose fault it is, where the code alone does not say it. */
  readonly fault?: ExitExplanation['fault'];
}

/** It took what Kennel told it for something else: the fault is Kennel's, or this version's. `tool`: as people call it. */
export const misunderstood = (tool: string): Omit<ExitMeaning, 'pattern'> => ({
  code: 'tool.failed',
  retry: false,
  sentence: `it does not understand what Kennel told it, which is a fault of Kennel. Install another version of ${tool}, and please report it`,
});

type Row = readonly [
  pattern: RegExp,
  code: KennelErrorCode,
  sentence: string,
  then?: 'final' | 'machine',
];

/** `final`: another try cannot help. `machine`: it is this machine's fault. */
const meanings = (rows: readonly Row[]): readonly ExitMeaning[] =>
  rows.map(([pattern, code, sentence, then]) => ({
    pattern,
    code,
    sentence,
    retry: then !== 'final',
    ...(then === 'machine' && { fault: 'machine' }),
  }));

/**
 * What all three tools say, the first that fits. ffmpeg: `libavformat/http.c` (`http_averror`), `libavutil/error.c`, and the C library's
 * own words (`strerror`); yt-dlp and streamlink: Python's `urllib`, `requests`, `urllib3`, `socket`, `ssl`, which quote the same.
 */
export const COMMON_MEANINGS: readonly ExitMeaning[] = meanings([
  [
    /No space left on device|Disk quota exceeded|Errno 28\b/i,
    'disk.full',
    'the disk is full. Free some space, or choose another data directory',
    'machine',
  ],
  [
    /Cannot allocate memory|Out of memory|MemoryError|std::bad_alloc/i,
    'tool.failed',
    'there was no memory left for it. Give the machine more, or record less at once',
    'machine',
  ],
  [
    /Too many open files|Resource temporarily unavailable: .*fork|can't start new thread/i,
    'tool.failed',
    'the machine had no more files or processes for it. Raise its limits, or record less at once',
    'machine',
  ],
  [
    /SAMPLE-AES|EXT-X-(?:SESSION-)?KEY.*skd:|\bDRM\b|Widevine|PlayReady|ContentProtection|\bcenc\b|Encrypted streams? (?:are|is) not supported/i,
    'source.encrypted',
    'the stream is protected (DRM or SAMPLE-AES), and Kennel records no such streams',
    'final',
  ],
  [
    /(?:not available|unavailable|blocked|restricted) (?:in|from|outside) your (?:country|region|location)|geo.?(?:restrict|block)|in your country/i,
    'source.geo',
    'the source is closed to this country. Record from another one, or through a proxy there (--proxy)',
    'final',
  ],
  [
    /Server returned 401|401 Unauthorized|HTTP Error 401|\b401 Client Error|authorization failed|log.?in (?:is )?required|you must (?:be logged|log) in|requires? (?:a )?(?:login|authentication|subscription)/i,
    'source.login',
    'the source wants somebody who is logged in. Give cookies (--cookies FILE) or a header (--header)',
    'final',
  ],
  [
    /Proxy Authentication Required|\b407\b/,
    'tool.failed',
    'Kennel’s own proxy did not know it. This is a fault of Kennel or of the tool; please report it with the tool’s version',
  ],
  [
    /Server returned 404|HTTP Error 404|404 (?:Client Error|Not Found)|\b404\b.*Not Found|method DESCRIBE failed: 404/i,
    'source.notFound',
    'the source answers that there is nothing at this address (404). Look whether the link is right, or wait for it with --wait',
  ],
  [
    /\b410\b.*Gone|HTTP Error 410|410 Client Error/i,
    'source.notFound',
    'the source says that it is gone for good (410). Look for its new link',
  ],
  [
    /Server returned 403|403 (?:Client Error|Forbidden)|HTTP Error 403|access denied|HTTP Error 451|\b451 Client Error/i,
    'source.refused',
    'the source refuses to serve it (403). Its link may have run out, or it may want cookies (--cookies), headers (--header) or another way there (--proxy)',
  ],
  [
    /HTTP Error 429|429 (?:Client Error|Too Many)|Too Many Requests/i,
    'limit.exceeded',
    'the source says that it is asked too often (429). It is asked again later; record less from it at once if this goes on',
  ],
  [
    /Server returned 4\d\d|Server returned 4XX|HTTP Error 4\d\d|\b4\d\d Client Error/i,
    'source.refused',
    'the source does not accept the request (4xx). Look whether the link is right and complete',
  ],
  [
    /Server returned 5\d\d|Server returned 5XX|HTTP Error 5\d\d|\b5\d\d Server Error|Tunnel connection failed: 50\d|HTTP error 5\d\d/i,
    'source.unavailable',
    'the source’s server has a fault (5xx), or cannot be reached. It is asked again; wait until it is well',
  ],
  [
    /Failed to resolve|Name or service not known|Temporary failure in name resolution|nodename nor servname|No address associated|getaddrinfo|NameResolutionError/i,
    'source.unavailable',
    'the source’s host name could not be found. Look whether the link is right, and whether this machine’s DNS works',
  ],
  [
    /Connection refused|ECONNREFUSED|Errno 111\b/i,
    'source.unavailable',
    'the source’s server accepts no connections. Look whether it runs and whether the port is right',
  ],
  [
    /certificate|SSL:|SSLError|TLS|gnutls|handshake/i,
    'source.unavailable',
    'there was no secure connection to the source. Look at its certificate; a private authority is given with NODE_EXTRA_CA_CERTS',
  ],
  [
    /timed? ?out|ETIMEDOUT|Errno 110\b|No data received/i,
    'timeout.exceeded',
    'the source did not answer in time. It is asked again; look whether it can be reached from here',
  ],
  [
    /Connection reset|Broken pipe|Connection aborted|Remote end closed|RemoteDisconnected|IncompleteRead|End of file|Network is unreachable|No route to host|Software caused connection abort|Input\/output error|I\/O error/i,
    'source.unavailable',
    'the connection to the source was lost. It is opened again; look at the network if this goes on',
  ],
]);

/** Signals that a fault of a program's own raises. */
const CRASHES = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS']);

const SIGNAL_NUMBERS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
};

/** Of what a program said: whatever stands further up is not why it ended. */
const LINES_READ = 40;
/** Of a program's own words, characters. */
const WORDS_MAX = 200;

export interface ExplainRules {
  /** As people call it. */
  readonly tool: string;
  /** Its own words; they go before what all tools say. */
  readonly meanings: readonly ExitMeaning[];
  /** Its own exit codes, with what they mean. */
  readonly codes: Readonly<Record<number, Omit<ExitMeaning, 'pattern'>>>;
  /** Lines that are no messages. */
  isNoise(line: string): boolean;
}

/** Why a program ended: what its start, the gate, Kennel, a signal, its words and its exit code say, in this order. */
export function explainWith(rules: ExplainRules, exit: ProgramExit): ExitExplanation {
  const { exitCode, signal, hadMedia, asked } = exit;
  if (exit.startError !== undefined) return notStarted(rules.tool, exit.startError);
  const why = signal === undefined ? (`exit.${exitCode ?? -1}` as const) : signalWord(signal);
  const isClean = signal === undefined && exitCode === 0;
  if (asked !== undefined && !isClean) {
    const sentence = `${rules.tool} was ended by Kennel (${why}). Nothing is to be done`;
    return explanation('tool', why, sentence);
  }
  if (isClean && hadMedia) {
    return explanation('none', 'exit.0', `${rules.tool} put out media and ended by itself`);
  }
  if (exit.refused.length > 0 && !hadMedia) {
    const sentence = `${rules.tool} wanted to reach ${exit.refused.join(', ')}, which is not public. Allow it with --allow if it is to be reached`;
    return explanation('caller', 'address.refused', sentence);
  }
  if (signal !== undefined) return bySignal(rules.tool, signal);
  const found = meaningOf(rules, exit.stderrTail);
  if (found !== undefined) return asExplanation(rules.tool, found);
  const own = exitCode === undefined ? undefined : rules.codes[exitCode];
  if (own !== undefined) return asExplanation(rules.tool, own);
  const number = exitCode !== undefined && exitCode > 128 ? exitCode - 128 : undefined;
  const name = number === undefined ? undefined : SIGNAL_NUMBERS[number];
  if (name !== undefined) return { ...bySignal(rules.tool, name), why };
  if (isClean) {
    const sentence = `${rules.tool} ended without any media and without a reason. The source is probably away; it is asked again`;
    return explanation('source', 'source.unavailable', sentence);
  }
  const words = lastWords(rules, exit.stderrTail);
  const said = words === '' ? 'said nothing' : `said: ${words}`;
  const sentence = `${rules.tool} failed with exit code ${exitCode ?? 'unknown'} and ${said}. It is started again; see the log of the attempt`;
  return explanation('tool', why, sentence);
}

const asExplanation = (
  tool: string,
  { code, retry, sentence, fault }: Omit<ExitMeaning, 'pattern'>,
): ExitExplanation => ({
  fault: fault ?? faultOf(code),
  why: code,
  retry,
  sentence: sentenceOf(`${tool} ended because ${sentence}`),
});

/** What somebody has to change first is not tried again. */
const explanation = (
  fault: ExitExplanation['fault'],
  why: ExitExplanation['why'],
  text: string,
): ExitExplanation => ({ fault, why, retry: fault !== 'caller', sentence: sentenceOf(text) });

const sentenceOf = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

/** Who has to act on such a code. */
export function faultOf(code: KennelErrorCode): ExitExplanation['fault'] {
  const fault = ERROR_CODES[code];
  if (fault === 'source' || fault === 'caller') return fault;
  return fault === 'destination' ? 'machine' : 'tool';
}

/** A word that a journal can hold, whatever was given. */
const signalWord = (signal: string): `signal.${string}` =>
  `signal.${/^SIG[A-Z0-9]{1,10}$/.test(signal) ? signal : 'unknown'}`;

/** The last line that means anything. */
function meaningOf(rules: ExplainRules, stderr: string): ExitMeaning | undefined {
  for (const line of messagesOf(rules, stderr).reverse()) {
    // The words of an address are not the tool's.
    const text = line.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '<link>');
    const found = [...rules.meanings, ...COMMON_MEANINGS].find(({ pattern }) => pattern.test(text));
    if (found !== undefined) return found;
  }
  return undefined;
}

const messagesOf = (rules: ExplainRules, stderr: string): string[] =>
  stderr
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '' && !rules.isNoise(line))
    .slice(-LINES_READ);

const lastWords = (rules: ExplainRules, stderr: string): string =>
  printable(messagesOf(rules, stderr).at(-1) ?? '', WORDS_MAX);

function notStarted(tool: string, error: string): ExitExplanation {
  if (/ENOENT|EACCES|ENOEXEC|not found|permission denied/i.test(error)) {
    const sentence = `${tool} could not be started: it is not there any more, or may not be run. kennel doctor tells what is there`;
    return explanation('caller', 'tool.missing', sentence);
  }
  const sentence = `${tool} could not be started, because this machine had no room for another process. It is tried again; record less at once if this goes on`;
  return explanation('machine', 'tool.failed', sentence);
}

function bySignal(tool: string, signal: string): ExitExplanation {
  const why = signalWord(signal);
  if (CRASHES.has(signal)) {
    const sentence = `${tool} crashed (${signal}). It is started again; install another version of it if this goes on`;
    return explanation('tool', why, sentence);
  }
  if (signal === 'SIGKILL') {
    const sentence = `${tool} was killed, and not by Kennel: by the system, when memory ran out (see dmesg), or by a person. It is started again`;
    return explanation('machine', why, sentence);
  }
  if (signal === 'SIGXFSZ' || signal === 'SIGXCPU') {
    const sentence = `${tool} went beyond what its cage allows (${signal}). It is started again; report it if this goes on`;
    return explanation('tool', why, sentence);
  }
  if (signal === 'SIGPIPE') {
    const sentence = `${tool} lost its output, because Kennel stopped reading. It is started again`;
    return explanation('tool', why, sentence);
  }
  const sentence = `${tool} was ended by ${signal}, and not by Kennel: by a person or the system. It is started again`;
  return explanation('machine', why, sentence);
}
