import type { AddressRules } from '../../egress/addressRules.ts';
import type { RequestHeaders } from './requestHead.ts';
import type { ClientName, TransportHead, TransportRequest } from './transport.ts';

/** One request of a GET, complete and checked. What the caller asked for, less what is above a single hop. */
export interface HopRequest
  extends Pick<
    TransportRequest,
    'signal' | 'bodyBytesMax' | 'idleTimeoutMs' | 'onHead' | 'onData'
  > {
  readonly url: URL;
  /** Everything that is sent but `host`; names in lower case. */
  readonly headers: RequestHeaders;
  /** Checked: `http:` or `https:`. */
  readonly proxy?: URL;
  /** Who may be connected to; absent: everybody. Addresses that stand in the URL were checked already. */
  readonly rules?: AddressRules;
}

export interface HopAnswer extends TransportHead {
  /** The values of `Set-Cookie`, apart: they cannot be told from each other once they are joined. */
  readonly setCookies: readonly string[];
  readonly bytes: number;
  readonly via: ClientName;
}

/**
 * One request, one answer: no redirects, no cookies. Rejects as a `Transport` does; a failure before the answer's body that
 * another client might read carries `details.malformed`.
 */
export interface Hop {
  get(request: HopRequest): Promise<HopAnswer>;
  /** Closes idle connections, and from now on whatever comes back. Requests under way go on. */
  close(): void;
}
