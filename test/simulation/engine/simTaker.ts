import { type Clock, pause } from '../../../src/core/clock.ts';
import { KennelError, systemCodeOf } from '../../../src/core/errors.ts';
import type { FetchOrder, SourcedSegment } from '../../../src/hls/planner/queue.ts';
import type { RecordWriter, TakenSegment, Taker } from '../../../src/hls/recordingPorts.ts';
import { diskError } from '../../../src/ledger/diskError.ts';
import { SEGMENT_MS } from './engineScript.ts';
import type { SimDisk } from './simDisk.ts';
import type { SimOrigin } from './simOrigin.ts';
import { httpError, networkError, timeoutError } from './simSources.ts';

/** The real taker gives an address half a segment before it tries the next beside it. */
const HEDGE_MS = SEGMENT_MS / 2;

/** The checksum of a content: its number. */
export const checksumOf = (content: number): string => content.toString(16).padStart(64, '0');
export const contentOf = (checksum: string): number => Number.parseInt(checksum, 16);

export interface SimTakerOptions {
  readonly origin: SimOrigin;
  readonly disk: SimDisk;
  readonly clock: Clock;
  readonly writer: RecordWriter;
  /** Another download begins, and so many are under way. */
  underWay(downloads: number): void;
  latencyMs(): number;
}

/** Fetches from the simulated origin to the simulated disk, and names in the real journal what it has. */
export class SimTaker implements Taker {
  readonly #options: SimTakerOptions;
  #downloads = 0;

  constructor(options: SimTakerOptions) {
    this.#options = options;
  }

  async take(order: FetchOrder, signal: AbortSignal, landed: () => void): Promise<TakenSegment> {
    const { sourced, content } = await this.#counted(order, signal);
    if (order.purpose === 'probe') {
      return { checksum: checksumOf(content), source: sourced.source };
    }
    return await this.#store(order, { sourced, content, signal, landed });
  }

  async #counted(order: FetchOrder, signal: AbortSignal) {
    this.#downloads++;
    this.#options.underWay(this.#downloads);
    try {
      return await this.#download(order, signal);
    } finally {
      this.#downloads--;
    }
  }

  /** The next address when one has failed, or is slow; the first whole segment wins, as with the real taker. */
  async #download(order: FetchOrder, signal: AbortSignal) {
    const { clock } = this.#options;
    const until = clock.elapsed() + order.timeoutMs;
    const won = new AbortController();
    const either = AbortSignal.any([signal, won.signal]);
    let failure: unknown;
    const racing = new Set<Promise<void>>();
    let winner: { sourced: SourcedSegment; content: number } | undefined;
    for (const sourced of [order, ...order.mirrors]) {
      const run = this.#fetch(sourced, either, until - clock.elapsed()).then(
        (content) => {
          winner ??= { sourced, content };
        },
        (error: unknown) => {
          failure ??= error;
        },
      );
      racing.add(run);
      void run.then(() => racing.delete(run));
      await Promise.race([run, pause(clock, HEDGE_MS, either)]);
      signal.throwIfAborted();
      if (winner !== undefined) break;
    }
    while (winner === undefined && racing.size > 0) await Promise.race(racing);
    won.abort();
    signal.throwIfAborted();
    if (winner !== undefined) return winner;
    throw failure instanceof Error ? failure : timeoutError();
  }

  async #fetch(
    { source, segment }: SourcedSegment,
    signal: AbortSignal,
    leftMs: number,
  ): Promise<number> {
    const { clock, origin, latencyMs } = this.#options;
    const trouble = origin.trouble(source, clock.elapsed());
    const answer = origin.answer(source, segment.url.pathname, clock.elapsed());
    const hangs = trouble === 'hang' || answer === 'hang';
    await pause(clock, Math.max(1, Math.min(leftMs, hangs ? leftMs : latencyMs())), signal);
    signal.throwIfAborted();
    if (hangs) throw timeoutError();
    if (trouble === 'down') throw networkError();
    if (answer === 'gone') throw httpError(404);
    if (answer === 'status' || answer === 'marked') throw httpError(500);
    if (answer === 'truncated') {
      throw new KennelError('source.unavailable', 'the body was cut', {
        retryable: true,
        details: { truncated: true },
      });
    }
    return answer as number;
  }

  async #store(
    order: FetchOrder,
    fetched: {
      sourced: SourcedSegment;
      content: number;
      signal: AbortSignal;
      landed: () => void;
    },
  ): Promise<TakenSegment> {
    const { disk, clock, writer } = this.#options;
    const { sourced, content, signal, landed } = fetched;
    const checksum = checksumOf(content);
    const file = `media/main/e${order.key.epoch}/${order.key.msn}.ts`;
    try {
      await disk.writeMedia(file, checksum);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      throw diskError(error, 'write', file);
    }
    signal.throwIfAborted();
    landed();
    const { wallClock } = sourced.segment;
    const record = {
      t: 'segment',
      ...order.key,
      at: clock.now(),
      durationMs: SEGMENT_MS,
      bytes: 188,
      checksum,
      file,
      container: 'ts',
      discontinuity: 0,
      ...(wallClock !== undefined && { wallClock }),
      ...(sourced.source > 0 && { source: sourced.source }),
    } as const;
    if (!(await writer.write(record, 'media'))) throw signal.reason;
    return { checksum, source: sourced.source };
  }
}
