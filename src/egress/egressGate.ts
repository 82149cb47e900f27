import type { Socket as UdpSocket } from 'node:dgram';
import type { Server } from 'node:net';
import type { AddressRules } from './addressRules.ts';

/**
 * Where programs knock: sockets that listen in the network that the programs are in, which may be one of their own without any
 * other way out, or the machine's loopback.
 */
export interface GateNetwork {
  /** A listening TCP server that nobody listens to yet, and how programs reach it. Rejects with `limit.exceeded` when all are used. */
  tcp(): Promise<{ readonly server: Server; readonly host: string; readonly port: number }>;
  /** The same for one UDP flow. */
  udp(): Promise<{ readonly socket: UdpSocket; readonly host: string; readonly port: number }>;
}

export interface PassOptions {
  readonly rules: AddressRules;
  /** The job's own proxy; it is then that which connects, and names are resolved there. */
  readonly upstream?: URL | undefined;
  /** To the program, bytes a second. Absent: unlimited. */
  readonly bytesPerSecondMax?: number | undefined;
}

/** One program's way out: counted, and good for nobody else. */
export interface EgressPass {
  /** `http://user:secret@host:port`, for HTTP and (with CONNECT) HTTPS. */
  readonly proxyUrl: string;
  /** Another address in the program's network for one fixed target, for protocols that no HTTP proxy carries. Rejects with `address.refused`. */
  relay(target: {
    readonly protocol: 'tcp' | 'udp';
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly host: string; readonly port: number }>;
  /** So far. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** The last targets that were refused (`host:port`), newest last; at most 8. */
  readonly refused: readonly string[];
  /** Ends its connections. */
  close(): void;
}

/** The guarded way out of all programs of one process. */
export interface EgressGate {
  /** `network`: where the program is; its proxy listens there. One listener serves all passes of a network. */
  pass(network: GateNetwork, options: PassOptions): Promise<EgressPass>;
  close(): Promise<void>;
}
