const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines. Call it with each piece as it arrives; it returns the lines that became whole.
 * Throws a RangeError when a line grows above `lineBytesMax` bytes: the peer is broken, and its stream cannot be read on.
 */
export function lineReader(lineBytesMax: number): (bytes: Uint8Array) => string[] {
  let pieces: Uint8Array[] = [];
  let held = 0;
  return (bytes) => {
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      pieces.push(bytes.subarray(from, end));
      if (held + end - from > lineBytesMax) {
        throw new RangeError(`A line is longer than ${lineBytesMax} bytes.`);
      }
      lines.push(Buffer.concat(pieces).toString('utf8'));
      pieces = [];
      held = 0;
      from = end + 1;
    }
    if (from < bytes.length) {
      // A copy, since the caller may reuse its buffer; `slice` of a Buffer would be a view.
      pieces.push(Buffer.from(bytes.subarray(from)));
      held += bytes.length - from;
    }
    if (held > lineBytesMax) throw new RangeError(`A line is longer than ${lineBytesMax} bytes.`);
    return lines;
  };
}
