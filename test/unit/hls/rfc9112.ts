/** What an answer to a GET says by RFC 9112, read in one go from all its bytes. Written apart from the code that it judges. */
export type Reading =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly body: Buffer;
      /** What follows the answer. */
      readonly rest: Buffer;
    }
  | { readonly kind: 'unfinished' | 'invalid' };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const unfinished: Reading = { kind: 'unfinished' };
const invalid: Reading = { kind: 'invalid' };

/** `closed`: the server has closed its side after these bytes. */
export function readAnswer(bytes: Buffer, closed: boolean): Reading {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return unfinished;
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const rest = bytes.subarray(end + 4);
  const [protocol = '', code = ''] = start.split(' ');
  if (!/^HTTP\/1\.[01]$/.test(protocol) || !/^[1-5][0-9][0-9]$/.test(code)) return invalid;
  const status = Number(code);
  const fields = fieldsOf(lines);
  if (fields === undefined || hasControls(start)) return invalid;
  if (status < 200) return status === 101 ? invalid : readAnswer(rest, closed);
  if (status === 204 || status === 304)
    return { kind: 'whole', status, body: Buffer.alloc(0), rest };
  const codings = fields.get('transfer-encoding');
  const lengths = fields.get('content-length');
  if (codings !== undefined) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    if (lengths !== undefined || !isChunked || protocol !== 'HTTP/1.1') return invalid;
    return readChunks(status, rest);
  }
  if (lengths !== undefined) {
    const [length = ''] = lengths;
    if (!/^[0-9]+$/.test(length) || lengths.some((other) => other !== length)) return invalid;
    if (rest.length < Number(length)) return unfinished;
    const body = rest.subarray(0, Number(length));
    return { kind: 'whole', status, body, rest: rest.subarray(Number(length)) };
  }
  return closed ? { kind: 'whole', status, body: rest, rest: Buffer.alloc(0) } : unfinished;
}

/** Values by name in lower case; undefined when a line breaks the grammar. */
function fieldsOf(lines: readonly string[]) {
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, '');
    if (!TOKEN.test(name) || hasControls(value)) return undefined;
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return fields;
}

const hasControls = (text: string): boolean =>
  [...text].some((one) => (one < ' ' && one !== '\t') || one === '\x7f');

function readChunks(status: number, from: Buffer): Reading {
  const chunks: Buffer[] = [];
  for (let rest = from; ; ) {
    const end = rest.indexOf('\r\n');
    if (end < 0) return unfinished;
    const [size = '', ...extensions] = rest.toString('latin1', 0, end).split(';');
    if (!/^[0-9A-Fa-f]+[ \t]*$/.test(size) || hasControls(extensions.join(';'))) return invalid;
    const length = Number.parseInt(size, 16);
    rest = rest.subarray(end + 2);
    if (length === 0) return readTrailer({ status, body: Buffer.concat(chunks), from: rest });
    if (rest.length < length + 2) return unfinished;
    if (rest.toString('latin1', length, length + 2) !== '\r\n') return invalid;
    chunks.push(rest.subarray(0, length));
    rest = rest.subarray(length + 2);
  }
}

function readTrailer(read: { status: number; body: Buffer; from: Buffer }): Reading {
  const { status, body, from } = read;
  const lines: string[] = [];
  for (let rest = from; ; ) {
    const end = rest.indexOf('\r\n');
    if (end < 0) return unfinished;
    const line = rest.toString('latin1', 0, end);
    rest = rest.subarray(end + 2);
    if (line !== '') lines.push(line);
    else if (fieldsOf(lines) === undefined) return invalid;
    else return { kind: 'whole', status, body, rest };
  }
}
