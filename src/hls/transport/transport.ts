import type { AddressRules } from '../../egress/addressRules.ts';

/** How an answer begins. */
export interface TransportHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a transport asks of the cookies that requests carry. */
export interface CookieJarLike {
  /** The `Cookie` header for a URL, `''` when it holds none for it. */
  cookiesFor(url: URL): string;
  /** Takes the `Set-Cookie` headers of an answer, redirects included. Cookies it cannot accept are left out. */
  take(url: URL, setCookies: readonly string[]): Promise<void> | void;
}

/** The clients that may serve a request. */
export type ClientName = 'lean' | 'undici';

/** One GET. Redirects are followed; the body is handed over as it arrives. */
export interface TransportRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The body may not be longer, bytes (as sent, before decoding). */
  readonly bodyBytesMax: number;
  /** Milliseconds without a byte (connect included) before the request fails with `timeout.exceeded`. */
  readonly idleTimeoutMs: number;
  /** Sent to matching hosts, and fed by every answer. They are joined with a `cookie` header of `headers`. */
  readonly cookies?: CookieJarLike;
  /** The proxy for this request, `http(s)://[user:password@]host[:port]`, also after redirects. Default: the transport's. */
  readonly proxy?: URL;
  /**
   * Who may be connected to, redirects included. Default: the transport's. Where there is a proxy, names are resolved there: only
   * addresses that stand in a URL are checked then, and not that of the proxy, which is the operator's choice.
   */
  readonly rules?: AddressRules;
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
  /** Which client served it. */
  readonly via?: ClientName;
}

/**
 * Resolves for every complete answer, whatever its status. Rejects with a KennelError: `source.unavailable` (no
 * connection, reset, malformed HTTP; `details.truncated` when the body was shorter than announced, `details.system` for the
 * system's word), `source.refused` (a proxy that wants another password), `address.refused` (the rules do not permit it),
 * `timeout.exceeded`, `limit.exceeded`; and with the signal's reason when aborted.
 */
export interface Transport {
  get(request: TransportRequest): Promise<TransportResponse>;
  /** Closes idle connections. Requests under way go on. */
  close(): void;
}
