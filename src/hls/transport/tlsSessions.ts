import type { TLSSocket } from 'node:tls';
import { TLS_SESSIONS_MAX } from './limits.ts';

/**
 * The last TLS session of every origin, for the next connection to it: a resumed handshake costs a tenth of the CPU and sends no
 * certificates. The origin's name was checked when the session began, and sessions never leave their origin.
 */
export class TlsSessions {
  readonly #sessions = new Map<string, Buffer>();

  get(origin: string): Buffer | undefined {
    return this.#sessions.get(origin);
  }

  /** Keeps what the server hands out on this socket, for as long as the socket lives. */
  watch(origin: string, socket: TLSSocket): void {
    socket.on('session', (session) => {
      this.#sessions.delete(origin);
      this.#sessions.set(origin, session);
      const [oldest] = this.#sessions.keys();
      if (this.#sessions.size > TLS_SESSIONS_MAX && oldest !== undefined) {
        this.#sessions.delete(oldest);
      }
    });
    // A server may stumble over a session of its past; without it the next handshake is a whole one.
    socket.once('error', () => {
      if (!socket.authorized) this.#sessions.delete(origin);
    });
  }
}
