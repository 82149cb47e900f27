import type { AddressRules } from './addressRules.ts';

export interface PassOptions {
  readonly rules: AddressRules;
  /** The job's own proxy; it is then that which connects, and names are resolved there. */
  readonly upstream?: URL | undefined;
  /** To the program, bytes a second. Absent: unlimited. Of UDP, what is above it is delayed for a moment and then lost. */
  readonly bytesPerSecondMax?: number | undefined;
}

/** One program's way out: counted, and good for nobody else. */
export interface EgressPass {
  /** `http://user:secret@host:port`, for HTTP and (with CONNECT) HTTPS. */
  readonly proxyUrl: string;
  /**
   * Another address in the program's network for one fixed target, for protocols that no HTTP proxy carries. Rejects with
   * `address.refused`, with `limit.exceeded` when the network has no listener left; for UDP also with `source.unavailable` (its
   * name has no address) and `usage.invalid` (there is an upstream proxy, which carries none).
   */
  relay(target: {
    readonly protocol: 'tcp' | 'udp';
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly host: string; readonly port: number }>;
  /** Payload so far: bodies, tunnels and datagrams, not the heads of plain HTTP. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** The last targets that were refused (`host:port`), newest last; at most 8. */
  readonly refused: readonly string[];
  /** Ends its connections. */
  close(): void;
}
