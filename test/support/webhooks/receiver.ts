import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A receiver of webhooks on loopback, which can be away, or answer as a test says. */
export class WebhookReceiver {
  /** Everything that was answered 2xx, in order. */
  readonly taken: Received[] = [];
  refused = 0;
  /** The status of the answer to a delivery. */
  answer: (received: Received) => number = () => 204;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
        const received = {
          path: request.url ?? '',
          id: headers['webhook-id'] ?? '',
          headers,
          body: Buffer.concat(chunks).toString('utf8'),
        };
        const status = this.answer(received);
        if (status >= 200 && status < 300) this.taken.push(received);
        else this.refused += 1;
        response.writeHead(status, status >= 300 && status < 400 ? { location: '/elsewhere' } : {});
        response.end();
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    // A server that listens has an address of its family.
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
