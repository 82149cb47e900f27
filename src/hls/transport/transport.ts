/** How an answer begins. */
export interface TransportHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One GET. Redirects are followed; the body is handed over as it arrives. */
export interface TransportRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The body may not be longer, bytes (as sent, before decoding). */
  readonly bodyBytesMax: number;
  /** Milliseconds without a byte (connect included) before the request fails with `timeout.exceeded`. */
  readonly idleTimeoutMs: number;
  /** Called once, before the first piece of a 2xx body. What it throws fails the request. */
  onHead?(head: TransportHead): void;
  /**
   * Called with each piece of a 2xx body. The bytes are valid only during the call: copy what must stay.
   * Returning a promise pauses the socket until it settles.
   */
  onData(bytes: Uint8Array): void | Promise<void>;
}

export interface TransportResponse extends TransportHead {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly bytes: number;
}

/**
 * Resolves for every complete answer, whatever its status. Rejects with a KennelError: `source.unavailable` (no
 * connection, reset, malformed HTTP; `details.truncated` when the body was shorter than announced), `timeout.exceeded`,
 * `limit.exceeded`; and with the signal's reason when aborted.
 */
export interface Transport {
  get(request: TransportRequest): Promise<TransportResponse>;
  /** Closes idle connections. Requests under way go on. */
  close(): void;
}
