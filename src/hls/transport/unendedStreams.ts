import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Readable } from 'node:stream';

/** Published by Node when an HTTP/2 stream of a client closes, before its reader hears of it. */
const STREAM_CLOSES = 'http2.client.stream.close';

/**
 * An HTTP/2 body has an end only when its server says so (END_STREAM). Node and undici also take a stream for ended that its
 * server let go (RST_STREAM with CANCEL or NO_ERROR, which proxies send when their own source broke): half a segment would
 * pass for a whole one. From now on such a stream fails, in the whole process.
 */
export function refuseUnendedStreams(): void {
  // Once is enough, however many transports ask for it.
  unsubscribe(STREAM_CLOSES, failUnlessEnded);
  subscribe(STREAM_CLOSES, failUnlessEnded);
}

function failUnlessEnded(message: unknown): void {
  if (!(message instanceof Object) || !('stream' in message)) return;
  const { stream } = message;
  if (!(stream instanceof Readable) || hasEnded(stream)) return;
  stream.destroy(new Error('the stream was closed before its end'));
}

/** Whether the end has arrived, read or not. Node tells only in the state of the stream, which its own tests rely on. */
function hasEnded(stream: Readable): boolean {
  if (!('_readableState' in stream)) return false;
  const state = stream._readableState;
  return state instanceof Object && 'ended' in state && state.ended === true;
}
