import tls, { type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import { TLS_SESSIONS_MAX } from './limits.ts';

/** As browsers have it: no less safe than the longer key, and a tenth of the CPU of a recording over TLS. */
const FIRST_CIPHER = 'TLS_AES_128_GCM_SHA256';

/** What the TLS connections of a transport share: trust, ciphers, and the last session of every origin. */
export class TlsClient {
  readonly #certificateAuthorities: string | undefined;
  readonly #sessions = new Map<string, Buffer>();
  #context: SecureContext | undefined;

  /** `certificateAuthorities`: PEM certificates to trust instead of the system's. */
  constructor(certificateAuthorities?: string) {
    this.#certificateAuthorities = certificateAuthorities;
  }

  /**
   * One context for all connections: Node would make one for each. A resumed session spares both sides the most of
   * a handshake; the origin's name was checked when the session began, and sessions never leave their origin.
   */
  optionsFor(origin: string): Pick<ConnectionOptions, 'secureContext' | 'session'> {
    const ca = this.#certificateAuthorities;
    this.#context ??= tls.createSecureContext({
      ciphers: [
        FIRST_CIPHER,
        ...tls.DEFAULT_CIPHERS.split(':').filter((name) => name !== FIRST_CIPHER),
      ].join(':'),
      ...(ca === undefined ? {} : { ca }),
    });
    const session = this.#sessions.get(origin);
    return { secureContext: this.#context, ...(session === undefined ? {} : { session }) };
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
