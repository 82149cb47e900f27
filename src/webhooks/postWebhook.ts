import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { AddressRules } from '../egress/addressRules.ts';
import { checkLiteralAddress, guardedLookup } from '../egress/guardedLookup.ts';

/** Headers of an answer, bytes: nobody has business sending more. */
const HEAD_BYTES_MAX = 16 * 1024;
/** How much of an answer's body is read so that its connection can be kept, bytes. It means nothing. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Connections to one receiver that are kept for the next delivery. */
const KEPT_PER_RECEIVER_MAX = 4;

export interface WebhookPoster {
  /** Resolves with the head of the answer. Rejects when there is none in time, and with `address.refused`. */
  post(message: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<{ readonly status: number; readonly retryAfter?: string }>;
  close(): void;
}

export interface WebhookPosterOptions {
  readonly rules: AddressRules;
  readonly clock: Clock;
  /** From the first look at the name to the head of the answer, milliseconds. */
  readonly timeoutMs: number;
  /** How names are resolved. Default: by the system. */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Posts webhooks. Who is connected to is checked at the connection, on the very address that is connected to; redirects are
 * answers like any other, and are not followed.
 */
export function webhookPoster(options: WebhookPosterOptions): WebhookPoster {
  const settings = { keepAlive: true, maxFreeSockets: KEPT_PER_RECEIVER_MAX };
  const agents = { 'http:': new http.Agent(settings), 'https:': new https.Agent(settings) };
  return {
    post: ({ url, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        const target = new URL(url);
        const isTls = target.protocol === 'https:';
        const port = Number(target.port) || (isTls ? 443 : 80);
        const { rules, lookup, clock, timeoutMs } = options;
        checkLiteralAddress({ host: target.hostname, port }, rules);
        const request = (isTls ? https : http).request(target, {
          method: 'POST',
          agent: agents[isTls ? 'https:' : 'http:'],
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          lookup: guardedLookup({ rules, port, lookup }),
          maxHeaderSize: HEAD_BYTES_MAX,
          signal,
        });
        const timer = clock.setTimeout(
          () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
          timeoutMs,
        );
        request.once('close', () => clock.clearTimeout(timer));
        request.once('error', reject);
        request.once('response', (response) => {
          const { statusCode: status = 0, headers: told } = response;
          const retryAfter = told['retry-after'];
          drain(response);
          resolve({ status, ...(retryAfter !== undefined && { retryAfter }) });
        });
        request.end(body);
      }),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Reads the rest of an answer, up to a limit; a longer one costs its connection. */
function drain(response: http.IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
}
