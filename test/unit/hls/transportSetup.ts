import { onTestFinished } from 'vitest';
import {
  type LeanTransportOptions,
  leanTransport,
} from '../../../src/hls/transport/leanTransport.ts';
import type { Transport, TransportRequest } from '../../../src/hls/transport/transport.ts';
import type { RawServer } from './transportServer.ts';

/** Asks over a transport, and reads the body as it is. */
export const getter =
  (transport: Transport) =>
  async (url: URL, request: Partial<TransportRequest> = {}) => {
    let body = '';
    const response = await transport.get({
      url,
      signal: new AbortController().signal,
      bodyBytesMax: 1_000_000,
      idleTimeoutMs: 5000,
      onData: (bytes) => {
        body += Buffer.from(bytes).toString('latin1');
      },
      ...request,
    });
    return { ...response, body };
  };

export function setup(options: LeanTransportOptions = {}) {
  const transport = leanTransport(options);
  onTestFinished(() => transport.close());
  return { transport, get: getter(transport) };
}

/** Resolves once the server has seen so many requests. */
export async function asked(server: RawServer, count: number): Promise<void> {
  while (server.requests.length < count) await new Promise((resolve) => setImmediate(resolve));
}
