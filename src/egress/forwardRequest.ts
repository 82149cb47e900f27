import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { isKennelError, KennelError, messageOf, systemCodeOf } from '../core/errors.ts';
import type { Target } from './dial.ts';
import type { GatePass } from './gatePass.ts';
import { withoutHopHeaders } from './hopHeaders.ts';
import { pump } from './pump.ts';
import { httpTarget } from './requestTarget.ts';

/** Errors of a kept connection that its server had closed meanwhile. */
const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/** One request in absolute form, for a program that has shown its pass. Rejects while nothing was answered; as `GatePass.dial` does. */
export async function forwardRequest(
  pass: GatePass,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { url = '', method = 'GET' } = request;
  const { target, path } = httpTarget(url);
  const headers = withoutHopHeaders(request.rawHeaders);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0;
  const begin = (isFresh: boolean): ClientRequest => {
    const onward = pass.client.request({ target, method, path, headers, isFresh });
    response.once('close', () => onward.destroy());
    return onward;
  };
  await pass.counted(target, async () => {
    const onward = begin(hasBody);
    if (hasBody) {
      pump({ from: request, to: onward, clock: pass.meter.clock, passed: pass.meter.sent });
    } else {
      onward.end();
    }
    let answer: IncomingMessage;
    try {
      answer = await answerOf(onward);
    } catch (error) {
      const isStale = onward.reusedSocket && CLOSED.has(systemCodeOf(error) ?? '');
      if (!isStale || hasBody || !['GET', 'HEAD'].includes(method))
        throw unreachable(target, error);
      answer = await answerOf(begin(true).end()).catch((again: unknown) => {
        throw unreachable(target, again);
      });
    }
    return { value: undefined, over: handOn(pass, answer, response) };
  });
}

function answerOf(onward: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    onward.once('response', resolve);
    onward.on('error', reject);
    onward.once('close', () => reject(new Error('it closed the connection without an answer')));
  });
}

/** Resolves when the program has its answer, or has been shown by a broken connection that there is no more of it. */
function handOn(pass: GatePass, answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const over = Promise.withResolvers<void>();
  response.once('close', () => over.resolve());
  response.on('error', () => response.destroy());
  answer.on('error', () => response.destroy());
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
  try {
    response.sendDate = false;
    const headers = withoutHopHeaders(answer.rawHeaders);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
  } catch (error) {
    // A head that cannot be written again.
    answer.destroy();
    if (!response.headersSent) response.writeHead(502);
    response.end(`the answer cannot be handed on: ${messageOf(error)}\n`);
    return over.promise;
  }
  pump({ from: answer, to: response, clock: pass.meter.clock, passed: pass.meter.received });
  return over.promise;
}

const unreachable = ({ host }: Target, error: unknown): KennelError =>
  isKennelError(error)
    ? error
    : new KennelError(
        'source.unavailable',
        `${host}: ${messageOf(error) || systemCodeOf(error) || 'no connection'}`,
        {
          cause: error,
          retryable: true,
        },
      );
