import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** One answer as it came over the wire, whether or not it came to its end. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** false: the connection ended before the answer did. */
  readonly complete: boolean;
}

/** Gets without following redirects, decoding or retrying. Rejects when there was no answer at all. */
export async function rawGet(
  url: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const request = get(url, { headers, agent: false });
  // What comes after the answer, or breaks it off, is told by `complete`.
  request.on('error', () => {});
  // once() rejects on 'error', and narrows nothing: 'response' carries one IncomingMessage.
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  response.on('data', (piece: Buffer) => pieces.push(piece));
  response.on('error', () => {});
  if (!response.closed) await once(response, 'close').catch(() => {});
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(pieces),
    complete: response.complete,
  };
}
