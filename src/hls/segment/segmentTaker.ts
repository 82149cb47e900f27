import path from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { ChecksumAlgorithm, InitStored, SegmentStored } from '../../ledger/record.ts';
import type { JournalWriter } from '../journalWriter.ts';
import type { FetchOrder } from '../planner/queue.ts';
import type { InitSection } from '../playlist/model.ts';
import { segmentIdentity } from '../playlist/segmentIdentity.ts';
import { withDeadline } from '../transport/deadline.ts';
import type { Transport } from '../transport/transport.ts';
import { initFile, makeRoomFor, probeFile, removeFile, segmentFile } from './mediaFiles.ts';
import { fetchSegment } from './segmentFile.ts';

/** The longest segment that is stored, bytes: 10 s at 100 Mb/s are 125 MB, and nobody serves one hour as one segment. */
const SEGMENT_BYTES_MAX = 512 * 1024 * 1024;
/** Initialisation sections whose number is remembered; players get by with one for each discontinuity. */
const INITS_REMEMBERED_MAX = 32;

export interface SegmentTakerOptions {
  readonly directory: string;
  readonly transport: Transport;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly writer: JournalWriter;
  readonly inits: readonly InitStored[];
  /** How the recording's files are hashed. */
  readonly checksums: ChecksumAlgorithm;
}

/** Carries out orders: downloads a segment with what it needs, and makes file and journal line durable, in this order. */
export class SegmentTaker {
  readonly #options: SegmentTakerOptions;
  readonly #stored: InitStored[];
  /** By address, epoch and discontinuity: an encoder that begins again reuses the name for another content. */
  readonly #inits = new Map<string, number>();
  #initTurn: Promise<unknown> = Promise.resolve();

  constructor(options: SegmentTakerOptions) {
    this.#options = options;
    this.#stored = [...options.inits];
  }

  /**
   * Resolves with the checksum once the segment is durable and named in the journal. Rejects as `fetchSegment` does. `landed` is
   * called when only the journal is waited for.
   */
  async take(order: FetchOrder, outer: AbortSignal, landed: () => void): Promise<string> {
    const { clock, directory, writer } = this.#options;
    const { key, segment, timeoutMs } = order;
    const file = order.purpose === 'probe' ? probeFile(key.track) : segmentFile(key, segment);
    const { init, fetched } = await withDeadline({ clock, timeoutMs, outer }, async (signal) => ({
      init: order.purpose === 'probe' ? undefined : await this.#init(order, signal),
      fetched: await this.#fetch({ file, signal, order }),
    }));
    const absolute = path.join(directory, file);
    if (order.purpose === 'probe') {
      await removeFile(absolute);
      return fetched.checksum;
    }
    const { wallClock } = segment;
    const record: SegmentStored = {
      t: 'segment',
      ...key,
      at: clock.now(),
      durationMs: segment.durationMs,
      bytes: fetched.bytes,
      checksum: fetched.checksum,
      file,
      container: fetched.container,
      discontinuity: segment.discontinuity,
      ...(init !== undefined && { init }),
      ...(wallClock !== undefined && { wallClock }),
    };
    landed();
    if (!(await writer.write(record, path.dirname(absolute)))) throw outer.reason;
    return fetched.checksum;
  }

  async #fetch({ file, signal, order }: { file: string; signal: AbortSignal; order: FetchOrder }) {
    const { directory, transport, headers } = this.#options;
    const { url, range } = order.segment;
    await makeRoomFor(directory, file);
    return await fetchSegment({
      transport,
      url,
      headers,
      ...(range && { range }),
      signal,
      file: path.join(directory, file),
      checksums: this.#options.checksums,
      idleTimeoutMs: order.timeoutMs,
      bodyBytesMax: SEGMENT_BYTES_MAX,
    });
  }

  /** The number of the segment's initialisation section, fetched and stored when it is not known yet. One at a time. */
  async #init(order: FetchOrder, signal: AbortSignal): Promise<number | undefined> {
    const { init, discontinuity } = order.segment;
    if (init === undefined) return undefined;
    const identity = segmentIdentity(init.url, init.range, true);
    const name = `${order.key.epoch}/${discontinuity}/${identity}`;
    const turn = this.#initTurn.then(async () => {
      signal.throwIfAborted();
      return this.#inits.get(name) ?? (await this.#storeInit(init, { name, order, signal }));
    });
    this.#initTurn = turn.catch(() => undefined);
    return await turn;
  }

  async #storeInit(
    init: InitSection,
    { name, order, signal }: { name: string; order: FetchOrder; signal: AbortSignal },
  ): Promise<number> {
    const { directory, transport, headers, writer } = this.#options;
    const { track } = order.key;
    const number = Math.max(-1, ...this.#stored.map((stored) => stored.init)) + 1;
    const file = initFile(track, number);
    const absolute = path.join(directory, file);
    await makeRoomFor(directory, file);
    const { bytes, checksum } = await fetchSegment({
      transport,
      url: init.url,
      headers,
      ...(init.range && { range: init.range }),
      signal,
      file: absolute,
      checksums: this.#options.checksums,
      container: 'init',
      idleTimeoutMs: order.timeoutMs,
      bodyBytesMax: SEGMENT_BYTES_MAX,
    });
    const same = this.#stored.find(
      (stored) => stored.track === track && stored.checksum === checksum,
    );
    if (same !== undefined) {
      await removeFile(absolute);
      return this.#remember(name, same.init);
    }
    const record: InitStored = { t: 'init', init: number, track, file, bytes, checksum };
    this.#stored.push(record);
    // The segment's own line waits behind this one.
    void writer.write(record, path.dirname(absolute));
    return this.#remember(name, number);
  }

  #remember(name: string, init: number): number {
    this.#inits.set(name, init);
    for (const oldest of this.#inits.keys()) {
      if (this.#inits.size <= INITS_REMEMBERED_MAX) break;
      this.#inits.delete(oldest);
    }
    return init;
  }
}
