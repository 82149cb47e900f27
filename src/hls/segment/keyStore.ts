import { isKennelError, KennelError } from '../../core/errors.ts';
import { fetchBytes } from '../transport/fetchText.ts';
import { BODY_BYTES_MAX } from '../transport/limits.ts';
import type { Transport } from '../transport/transport.ts';
import { refuseStatus } from './refuseStatus.ts';
import { SharedFlights } from './sharedFlights.ts';

/** AES-128. */
const KEY_BYTES = 16;
/** Keys of a recording that are kept. A window of 60 segments with a key each fits; each takes some hundred bytes. */
const KEYS_MAX = 64;

export interface KeyStoreOptions {
  readonly transport: Transport;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FoundKey {
  readonly bytes: Uint8Array;
  /** It was fetched for this call: it is as new as it can be. */
  readonly isFresh: boolean;
}

/** The keys of one recording, each fetched once for all segments that need it. They are kept in memory only, and never told. */
export class KeyStore {
  readonly #options: KeyStoreOptions;
  /** By address; the one that was used last is at the end. */
  readonly #keys = new Map<string, Uint8Array>();
  readonly #flights = new SharedFlights<Uint8Array>();

  constructor(options: KeyStoreOptions) {
    this.#options = options;
  }

  /**
   * Rejects as the transport does, with the codes of `receiveBody` for a status, with `segment.invalid` when what comes is not 16
   * bytes, and with the signal's reason. Each message says that it was the key, and `details.part` is `key`.
   */
  async get(
    url: URL,
    { signal, idleTimeoutMs }: { signal: AbortSignal; idleTimeoutMs: number },
  ): Promise<FoundKey> {
    const name = url.href;
    const kept = this.#keys.get(name);
    if (kept !== undefined) {
      this.#keep(name, kept);
      return { bytes: kept, isFresh: false };
    }
    const bytes = await this.#flights.join(name, signal, async (shared) => {
      const fetched = await this.#fetch(url, { signal: shared, idleTimeoutMs });
      this.#keep(name, fetched);
      return fetched;
    });
    return { bytes, isFresh: true };
  }

  /** This key did not fit: the next call asks for it again, unless that was done already. */
  forget(url: URL, bytes: Uint8Array): void {
    if (this.#keys.get(url.href) === bytes) this.#keys.delete(url.href);
  }

  async #fetch(
    url: URL,
    { signal, idleTimeoutMs }: { signal: AbortSignal; idleTimeoutMs: number },
  ): Promise<Uint8Array> {
    const { transport, headers } = this.#options;
    const bodyBytesMax = BODY_BYTES_MAX.key;
    try {
      const { status, bytes } = await fetchBytes({
        transport,
        url,
        headers,
        signal,
        idleTimeoutMs,
        bodyBytesMax,
      });
      refuseStatus(url, status);
      if (bytes.length === KEY_BYTES) return bytes;
      const reason = `${bytes.length} bytes instead of ${KEY_BYTES}`;
      const details = { host: url.host, reason };
      throw new KennelError('segment.invalid', `${url.host} sent ${reason}`, {
        retryable: true,
        details,
      });
    } catch (error) {
      if (!isKennelError(error)) throw error;
      throw new KennelError(error.code, `the key of a segment: ${error.message}`, {
        cause: error,
        retryable: error.retryable,
        details: { ...error.details, part: 'key' },
      });
    }
  }

  #keep(name: string, bytes: Uint8Array): void {
    this.#keys.delete(name);
    this.#keys.set(name, bytes);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= KEYS_MAX) break;
      this.#keys.delete(oldest);
    }
  }
}
