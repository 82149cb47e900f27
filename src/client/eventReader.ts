/** One block of a stream of server-sent events. */
export interface EventBlock {
  /** Where to resume from after this one. */
  readonly lastId: string;
  /** Absent in a block that only tells an id. */
  readonly data?: string;
  /** How long to wait before connecting again, milliseconds, once the stream has said so. */
  readonly retryMs?: number;
}

/** Characters of one line. The service's longest, of evidence with the last lines of a program, stay below 100 KiB. */
const LINE_CHARACTERS_MAX = 1024 ** 2;

/**
 * Reads a stream of events (HTML, 9.2.6), however its lines end and its bytes are cut. The type of an event is in its data as well, and
 * not read here. What is cut off at the end is dropped, as it has to be.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<EventBlock> {
  const decoder = new TextDecoder();
  let rest = '';
  let lastId = '';
  let data: string[] = [];
  let retryMs: number | undefined;
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    // A carriage return at the end may be the first half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX) throw new Error('a line of the stream has no end');
    for (const line of lines) {
      if (line === '') {
        const told = data.length > 0 ? { data: data.join('\n') } : {};
        yield { lastId, ...told, ...(retryMs !== undefined && { retryMs }) };
        data = [];
        continue;
      }
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'data') data.push(value);
      else if (field === 'id' && !value.includes('\0')) lastId = value;
      else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value);
    }
  }
}
