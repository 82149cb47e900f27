/** Attributes of one tag by upper-case name, unquoted; an attribute without a value is an empty text. */
export type Attributes = ReadonlyMap<string, string>;

/**
 * Reads an attribute list (RFC 8216 §4.2) as far as it can be read, in one pass over it: blanks around names, missing closing
 * quotes and lower-case names are taken as they are meant, and what has no `=` is passed over. The first of two attributes
 * of the same name counts.
 */
export function attributesOf(list: string): Attributes {
  const attributes = new Map<string, string>();
  for (let at = 0; at < list.length; ) {
    const equals = list.indexOf('=', at);
    if (equals === -1) break;
    const before = list.slice(at, equals);
    const name = before
      .slice(before.lastIndexOf(',') + 1)
      .trim()
      .toUpperCase();
    const { value, end } = valueAt(list, equals + 1);
    if (name !== '' && !attributes.has(name)) attributes.set(name, value);
    at = end;
  }
  return attributes;
}

/** The value that begins at `start`, and where the next attribute may begin. */
function valueAt(list: string, start: number): { value: string; end: number } {
  let at = start;
  while (list[at] === ' ' || list[at] === '\t') at++;
  if (list[at] !== '"') {
    const comma = endOr(list, list.indexOf(',', at));
    return { value: list.slice(at, comma).trim(), end: comma + 1 };
  }
  const quote = endOr(list, list.indexOf('"', at + 1));
  const comma = endOr(list, list.indexOf(',', quote));
  return { value: list.slice(at + 1, quote), end: comma + 1 };
}

const endOr = (list: string, found: number): number => (found === -1 ? list.length : found);
