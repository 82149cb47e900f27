import { type StreamedEvent, streamedEvent } from '../../../src/jobs/streamedEvent.ts';

export interface SseFrame {
  readonly id?: string;
  readonly event?: string;
  readonly comment?: string;
  readonly data?: StreamedEvent;
}

/** Reads a stream of events frame by frame, as the HTML standard has it. */
export class SseReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = '';
  /** What a browser would send when it comes back. */
  lastId: string | undefined;

  constructor({ body }: Response) {
    if (body === null) throw new Error('the answer has no body');
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next frame; undefined at the end. */
  async frame(): Promise<SseFrame | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end !== -1) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return this.#read(block);
      }
      const { done, value = '' } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  /** The next event; undefined at the end. */
  async event(): Promise<StreamedEvent | undefined> {
    for (;;) {
      const frame = await this.frame();
      if (frame === undefined || frame.data !== undefined) return frame?.data;
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  #read(block: string): SseFrame {
    const fields = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf(': ');
        return [line.slice(0, at) || 'comment', line.slice(at + 2)];
      }),
    );
    this.lastId = fields.get('id') ?? this.lastId;
    const { data, ...rest } = Object.fromEntries(fields);
    return { ...rest, ...(data !== undefined && { data: streamedEvent.parse(JSON.parse(data)) }) };
  }
}
