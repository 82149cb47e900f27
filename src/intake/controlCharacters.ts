/** Whether a text has C0 or C1 control characters or DEL: they end lines, headers and strings of programs, and steer terminals. */
export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

/**
 * The text with a blank in the place of each, cut to a length (UTF-16 units): what others wrote and people are to read. Half a surrogate
 * pair, which databases refuse, becomes U+FFFD.
 */
export function printable(text: string, charactersMax: number): string {
  const plain = [...text].map((character) => (hasControlCharacter(character) ? ' ' : character));
  const short = plain.join('').replace(/\s+/g, ' ').trim().slice(0, charactersMax);
  return short.toWellFormed();
}
