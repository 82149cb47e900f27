import type { KennelClientOptions } from '../../client/kennelClient.ts';

export type Fetch = NonNullable<KennelClientOptions['fetch']>;

/** `fetch` over a unix socket, which that of the platform cannot. */
export const socketFetch =
  (path: string): Fetch =>
  async (url, { method, body, signal, headers } = {}) => {
    const { Agent, fetch } = await import('undici');
    const answer = await fetch(url instanceof Request ? url.url : url, {
      ...(method !== undefined && { method }),
      // The client sends texts alone.
      ...(typeof body === 'string' && { body }),
      ...(signal && { signal }),
      headers: [...new Headers(headers)],
      dispatcher: new Agent({ connect: { socketPath: path } }),
    });
    // The platform's own class in another version of the same library.
    return answer as unknown as Response;
  };
