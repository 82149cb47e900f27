/** A part of a URL as it was before it was encoded; one that was not encoded well (a stray percent sign) is taken as it stands. */
export function percentDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
