/** A line that begins with `#EXT`, taken apart. */
export interface TagLine {
  /** Without `#`. */
  readonly name: string;
  /** What follows the first colon; empty when there is none. */
  readonly value: string;
}

export function tagLine(line: string): TagLine {
  const colon = line.indexOf(':');
  if (colon === -1) return { name: line.slice(1).trim(), value: '' };
  return { name: line.slice(1, colon).trim(), value: line.slice(colon + 1).trim() };
}

/** The lines that mean something, without blanks around them: tags, and whatever does not begin with `#`. */
export function* tagsAndAddresses(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    const line = text.slice(start, end).trim();
    if (line !== '' && (!line.startsWith('#') || line.startsWith('#EXT'))) yield line;
    start = end + 1;
  }
}
