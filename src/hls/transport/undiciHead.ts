import type { Dispatcher } from 'undici';
import type { AnswerHead } from './answerBody.ts';
import { HEAD_BYTES_MAX, HEADER_LINES_MAX } from './limits.ts';
import { trimBlanks } from './responseHead.ts';
import { malformed } from './transportError.ts';
import { type Party, refusedByProxy } from './undiciFailure.ts';

/** What may stand in a header's value: the lean client takes nothing else either. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export interface UndiciHead extends AnswerHead {
  /** Absent when only the end of the body tells. */
  readonly announcedBytes: number | undefined;
}

/**
 * The head of an answer as undici read it, held to the same rules as the lean client's. Throws `source.unavailable` with
 * `details.malformed`, and `source.refused` when it is the proxy that answers.
 */
export function readUndiciHead(
  { host, proxied }: Party,
  status: number,
  raw: Dispatcher.DispatchController['rawHeaders'],
): UndiciHead {
  if (proxied && status === 407) throw refusedByProxy(host);
  const headers: Record<string, string> = Object.create(null);
  const setCookies: string[] = [];
  const lengths = new Set<string>();
  const fields = fieldsOf(raw);
  if (fields.length > HEADER_LINES_MAX)
    throw malformed(host, `more than ${HEADER_LINES_MAX} headers`);
  let bytes = 0;
  for (const [name, value] of fields) {
    bytes += name.length + value.length + 4;
    if (bytes > HEAD_BYTES_MAX)
      throw malformed(host, `a head of more than ${HEAD_BYTES_MAX} bytes`);
    if (!VALUE.test(value)) throw malformed(host, 'a malformed header line');
    if (name === 'content-length') lengths.add(value);
    if (name === 'set-cookie') setCookies.push(value);
    const earlier = headers[name];
    headers[name] =
      earlier === undefined || name === 'content-length' ? value : `${earlier}, ${value}`;
  }
  return {
    status,
    headers,
    setCookies,
    announcedBytes: announced(host, status, { headers, lengths }),
  };
}

function announced(
  host: string,
  status: number,
  { headers, lengths }: { headers: Readonly<Record<string, string>>; lengths: ReadonlySet<string> },
): number | undefined {
  const coding = headers['transfer-encoding'];
  const [length] = lengths;
  if (lengths.size > 1) throw malformed(host, 'conflicting content lengths');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    throw malformed(host, 'a malformed content length');
  }
  if (coding !== undefined && length !== undefined) {
    throw malformed(host, 'conflicting framing: a content length and a transfer coding');
  }
  // undici undoes no other coding: the body would be stored with it.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw malformed(host, 'a transfer coding that is not understood');
  }
  return status === 204 || status === 304 || length === undefined ? undefined : Number(length);
}

/** Names in lower case, values as latin1 text: pairs of buffers, as undici has them. */
function fieldsOf(raw: Dispatcher.DispatchController['rawHeaders']): [string, string][] {
  if (!Array.isArray(raw)) return [];
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at]).toLowerCase();
    const value = raw[at + 1];
    // Answers to a request in absolute form have one value or several for a name.
    for (const one of Array.isArray(value) ? value : [value])
      fields.push([name, trimBlanks(textOf(one))]);
  }
  return fields;
}

const textOf = (text: Buffer | string | undefined): string =>
  typeof text === 'string' ? text : (text?.toString('latin1') ?? '');
