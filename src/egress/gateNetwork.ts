import type { Socket as UdpSocket } from 'node:dgram';
import type { Server } from 'node:net';

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
