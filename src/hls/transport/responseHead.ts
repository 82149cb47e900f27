import { HEADER_LINES_MAX } from './limits.ts';

/** The head of an answer, read and checked. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; values of repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of `Set-Cookie`, each by itself. */
  readonly setCookies: readonly string[];
  /** How the body's end is known. */
  readonly framing: Framing;
  /** Whether the connection may carry another request after this. */
  readonly keepAlive: boolean;
  /** How long the server keeps an idle connection, milliseconds, if it says so. */
  readonly serverIdleMs: number | undefined;
}

export type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/**
 * A name, a colon, a value without control characters. No blank before the colon, no folded line (RFC 9112 §5). Blanks around the value
 * are left to `trimBlanks`: two parts that may both match them would be tried in every combination.
 */
export const FIELD_LINE = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;

const BLANK = 0x20;
const TAB = 0x09;
const isBlank = (code: number): boolean => code === BLANK || code === TAB;

/** Without the blanks and tabs around it; other white space belongs to a value (RFC 9110 §5.6.3). */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Reads a head, given without its empty line. Throws an Error that says what is wrong with it. */
export function parseResponseHead(text: string): ResponseHead {
  const lines = text.split('\r\n');
  const status = STATUS_LINE.exec(lines[0] ?? '');
  if (status === null) throw new Error('not an HTTP/1.x answer');
  const headers: Record<string, string> = Object.create(null);
  const lengths = new Set<string>();
  const setCookies: string[] = [];
  if (lines.length > HEADER_LINES_MAX + 1) throw new Error(`more than ${HEADER_LINES_MAX} headers`);
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (!FIELD_LINE.test(line)) throw new Error('a malformed header line');
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = trimBlanks(line.slice(colon + 1));
    if (name === 'content-length') lengths.add(value);
    if (name === 'set-cookie') setCookies.push(value);
    const earlier = headers[name];
    headers[name] =
      earlier === undefined || name === 'content-length' ? value : `${earlier}, ${value}`;
  }
  const code = Number(status[2]);
  const framing = framingOf({ code, version: status[1] ?? '', headers, lengths });
  const { connection = '', 'keep-alive': promise = '' } = headers;
  const closes = connection
    .toLowerCase()
    .split(/[\s,]+/)
    .includes('close');
  const idle = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(promise);
  return {
    status: code,
    headers,
    setCookies,
    framing,
    keepAlive: status[1] === '1' && framing.kind !== 'close' && !closes,
    serverIdleMs: idle === null ? undefined : Number(idle[1]) * 1000,
  };
}

function framingOf(head: {
  readonly code: number;
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly lengths: ReadonlySet<string>;
}): Framing {
  const { code, lengths } = head;
  const [length] = lengths;
  const coding = head.headers['transfer-encoding'];
  if (lengths.size > 1) throw new Error('conflicting content lengths');
  if (length !== undefined && !/^\d{1,15}$/.test(length))
    throw new Error('a malformed content length');
  if (code < 200 || code === 204 || code === 304) return { kind: 'length', bytes: 0 };
  if (coding !== undefined) {
    // Either alone could be meant: guessing wrong would store half a segment, or two as one.
    if (length !== undefined)
      throw new Error('conflicting framing: a content length and a transfer coding');
    if (head.version === '0' || coding.toLowerCase() !== 'chunked') {
      throw new Error('a transfer coding that is not understood');
    }
    return { kind: 'chunked' };
  }
  return length === undefined ? { kind: 'close' } : { kind: 'length', bytes: Number(length) };
}
