import { rename } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { isKennelError } from '../../core/errors.ts';
import { contentHash } from '../../ledger/contentHash.ts';
import { diskError } from '../../ledger/diskError.ts';
import type { ChecksumAlgorithm, InitStored, SegmentStored } from '../../ledger/record.ts';
import { MediaDirectories } from '../../recording/files/mediaDirectories.ts';
import {
  mirrorPart,
  probeFile,
  removeFile,
  segmentFile,
} from '../../recording/files/mediaFiles.ts';
import type { JournalWriter } from '../../recording/journalWriter.ts';
import type { FetchOrder, SourcedSegment } from '../planner/queue.ts';
import type { PlaylistSegment } from '../playlist/model.ts';
import type { TakenSegment } from '../recordingPorts.ts';
import { countedTransport } from '../transport/countedTransport.ts';
import { withDeadline } from '../transport/deadline.ts';
import { BODY_BYTES_MAX } from '../transport/limits.ts';
import type { Transport } from '../transport/transport.ts';
import { fetchEncrypted } from './encryptedSegment.ts';
import { fileExtension } from './fileExtension.ts';
import { InitSections } from './initSections.ts';
import { KeyStore } from './keyStore.ts';
import { raceMirrors } from './mirrorRace.ts';
import { PlausibleSpan } from './plausibleSpan.ts';
import { type FetchedSegment, fetchSegment, type SegmentRequest } from './segmentFile.ts';

/**
 * When an address has taken half of its media's time, the next one is tried beside it: whoever needs longer than that falls behind
 * sooner or later, and half is left for the other. Of very short segments that would be too soon for a mere round trip.
 */
const HEDGE_SHARE = 0.5;
const HEDGE_MIN_MS = 500;

/**
 * A request that brings nothing at all for so long is sent again on another connection, beside the first: its server may have
 * forgotten it, or a box on the way. One that brings anything is left alone.
 */
const SILENT_MIN_MS = 2_000;

export interface SegmentTakerOptions {
  readonly directory: string;
  /** Of the job's recorder: no other life of it uses the same names. */
  readonly attempt: number;
  readonly transport: Transport;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly writer: JournalWriter;
  readonly inits: readonly InitStored[];
  /** How the recording's files are hashed. */
  readonly checksums: ChecksumAlgorithm;
}

/** Where a download goes, and how long it may be silent. */
interface Destination {
  /** Below the recording's directory. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly idleTimeoutMs: number;
  /** Called for everything that arrives. */
  heard?(): void;
}

interface Taken extends FetchedSegment {
  readonly init: number | undefined;
  /** The link it came from. */
  readonly source: number;
}

/**
 * Carries out the orders of a recording, of all its tracks: downloads a segment with what it needs, and makes file and journal
 * line durable, in this order.
 */
export class SegmentTaker {
  readonly #options: SegmentTakerOptions;
  readonly #directories: MediaDirectories;
  readonly #keys: KeyStore;
  readonly #inits: InitSections;
  readonly #spans = new PlausibleSpan();

  /** Throws `tool.missing` when this platform cannot hash as the recording does. */
  constructor(options: SegmentTakerOptions) {
    contentHash(options.checksums);
    this.#options = options;
    this.#directories = new MediaDirectories(options.directory);
    this.#keys = new KeyStore(options);
    this.#inits = new InitSections({
      directories: this.#directories,
      attempt: options.attempt,
      writer: options.writer,
      stored: options.inits,
      // A key for a section has to name its IV; where it does not, players take 0.
      fetch: async (section, to) => await this.#download({ ...section, msn: 0 }, to, 'init'),
    });
  }

  /**
   * Resolves once the segment is durable and named in the journal. Rejects as `fetchSegment`, `KeyStore.get` and
   * `raceMirrors` do, with `timeout.exceeded` when the order's time is over, and with the outer signal's reason. `landed` is called
   * when only the journal is waited for.
   */
  async take(order: FetchOrder, outer: AbortSignal, landed: () => void): Promise<TakenSegment> {
    const { clock, writer, attempt } = this.#options;
    const { key, segment, timeoutMs } = order;
    const isProbe = order.purpose === 'probe';
    const file = isProbe
      ? probeFile(key.track, attempt)
      : segmentFile(key, fileExtension(segment), attempt);
    const taken = await withDeadline({ clock, timeoutMs, outer }, async (signal) =>
      isProbe ? await this.#probe(order, file, signal) : await this.#race(order, file, signal),
    );
    if (isProbe) {
      await removeFile(this.#directories.pathOf(file));
      return { checksum: taken.checksum, source: taken.source };
    }
    landed();
    const line = recordOf({ order, file, taken, at: clock.now() });
    const directory = path.dirname(this.#directories.pathOf(file));
    if (!(await writer.write(line, directory))) throw outer.reason;
    return { checksum: taken.checksum, source: taken.source };
  }

  /** What another source has under the same number may be encoded otherwise: only this one's content is asked for. */
  async #probe(order: FetchOrder, file: string, signal: AbortSignal): Promise<Taken> {
    const to = { file, signal, idleTimeoutMs: order.timeoutMs };
    const fetched = await this.#download(order.segment, to);
    return { ...fetched, init: undefined, source: order.source };
  }

  async #race(order: FetchOrder, file: string, signal: AbortSignal): Promise<Taken> {
    const { clock } = this.#options;
    const { durationMs } = order.segment;
    const isAlone = order.mirrors.length === 0;
    // Whoever has one address only may ask there once more, when nothing comes.
    const addresses: readonly SourcedSegment[] = [order, ...(isAlone ? [order] : order.mirrors)];
    let isSilent = true;
    const heard = () => {
      isSilent = false;
    };
    const nameAt = (address: number) => (address === 0 ? file : mirrorPart(file, address));
    const { address, result } = await raceMirrors<Taken>({
      clock,
      addresses: addresses.length,
      hedgeAfterMs: isAlone
        ? Math.max(SILENT_MIN_MS, durationMs)
        : Math.max(HEDGE_MIN_MS, durationMs * HEDGE_SHARE),
      mayTry: (because) => !isAlone || (because === 'slow' && isSilent),
      signal,
      attempt: async (index, shared) => {
        const { timeoutMs: idleTimeoutMs } = order;
        const to = { file: nameAt(index), signal: shared, idleTimeoutMs, heard };
        return await this.#attempt(addresses[index] ?? order, order, to);
      },
      discard: async (index) => await removeFile(this.#directories.pathOf(nameAt(index))),
    });
    // Only now that the other tries have removed what they had under the final name.
    if (address > 0) await this.#rename(nameAt(address), file);
    return result;
  }

  async #attempt(from: SourcedSegment, order: FetchOrder, to: Destination): Promise<Taken> {
    const { key, isLast } = order;
    const { source, segment } = from;
    const { init: section, discontinuity } = segment;
    const place = { track: key.track, epoch: key.epoch, discontinuity, source };
    const init = section && (await this.#inits.numberOf(section, place, to));
    const name = `${key.track}/${key.epoch}/${key.msn}`;
    const accept = (spanMs: number | undefined) => {
      if (isLast !== true) this.#spans.check(name, spanMs, segment.durationMs);
    };
    return { ...(await this.#download(segment, { ...to, accept })), init, source };
  }

  /** `wanted.msn`: its number in the playlist of its own source, which may differ from ours. */
  async #download(
    wanted: Pick<PlaylistSegment, 'url' | 'range' | 'key' | 'msn'>,
    to: Destination & Pick<SegmentRequest, 'accept'>,
    container: 'any' | 'init' = 'any',
  ): Promise<FetchedSegment> {
    const { transport, headers, checksums } = this.#options;
    const { url, range, key, msn } = wanted;
    await this.#directories.makeFor(to.file);
    const request: SegmentRequest = {
      transport: to.heard === undefined ? transport : countedTransport(transport, to.heard),
      url,
      headers,
      checksums,
      container,
      ...(to.accept && { accept: to.accept }),
      ...(range && { range }),
      signal: to.signal,
      idleTimeoutMs: to.idleTimeoutMs,
      file: this.#directories.pathOf(to.file),
      bodyBytesMax: container === 'init' ? BODY_BYTES_MAX.init : BODY_BYTES_MAX.segment,
    };
    try {
      if (key === undefined) return await fetchSegment(request);
      return await fetchEncrypted(request, { encryption: key, msn, keys: this.#keys });
    } catch (error) {
      if (isKennelError(error) && error.code === 'disk.failed') this.#directories.forget(to.file);
      throw error;
    }
  }

  async #rename(part: string, file: string): Promise<void> {
    const [from, to] = [this.#directories.pathOf(part), this.#directories.pathOf(file)];
    try {
      await rename(from, to);
    } catch (error) {
      // Should it stay, it does no harm: nothing names it, and the next attempt removes it.
      await removeFile(from).catch(() => undefined);
      throw diskError(error, 'name', to);
    }
  }
}

function recordOf(done: {
  readonly order: FetchOrder;
  readonly file: string;
  readonly taken: Taken;
  readonly at: number;
}): SegmentStored {
  const { key, segment } = done.order;
  const { bytes, checksum, container, init, source } = done.taken;
  const { durationMs, discontinuity, wallClock } = segment;
  return {
    t: 'segment',
    ...key,
    at: done.at,
    durationMs,
    bytes,
    checksum,
    file: done.file,
    container,
    discontinuity,
    ...(init !== undefined && { init }),
    ...(wallClock !== undefined && { wallClock }),
    ...(source !== 0 && { source }),
  };
}
