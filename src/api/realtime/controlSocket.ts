import type { WSContext, WSEvents } from 'hono/ws';
import { WebSocket } from 'ws';
import type { ControlSession } from '../../control/controlSession.ts';
import type { ControlTransport } from '../../control/controlTransport.ts';
import type { Principal } from '../../core/access.ts';
import { type Clock, pause } from '../../core/clock.ts';
import type { ControlSessions } from './controlSessions.ts';

/** Whoever has not answered a ping by the next one is gone, milliseconds. Proxies close what is silent for half a minute. */
const PING_EVERY_MS = 15_000;

/** A session of control over a WebSocket that is being opened. */
export function controlSocket(who: Principal, sessions: ControlSessions, clock: Clock): WSEvents {
  let session: ControlSession | undefined;
  const gone = new AbortController();
  const end = () => {
    gone.abort();
    if (session) sessions.end(session);
  };
  return {
    onOpen: (_, context) => {
      const socket = socketOf(context);
      session = sessions.begin(who, transportOf(socket));
      void keepAlive(socket, clock, gone.signal);
      // It may be gone already.
      if (socket.readyState !== WebSocket.OPEN) end();
    },
    onMessage: ({ data }) => {
      if (typeof data === 'string') void session?.receive(data);
      else session?.close('notUnderstood');
    },
    onClose: end,
    onError: end,
  };
}

function socketOf({ raw }: WSContext): WebSocket {
  if (raw instanceof WebSocket) return raw;
  throw new Error('the server of WebSockets is not the one that this was written for');
}

const transportOf = (socket: WebSocket): ControlTransport => ({
  // Called back when the system has taken it, or when it never will.
  send: (text) => new Promise((resolve) => socket.send(text, () => resolve())),
  unsentBytes: () => socket.bufferedAmount,
  close: (code, reason) => socket.close(code, reason),
});

async function keepAlive(socket: WebSocket, clock: Clock, gone: AbortSignal): Promise<void> {
  let isHeard = true;
  socket.on('pong', () => {
    isHeard = true;
  });
  while (!gone.aborted) {
    if (!isHeard) return socket.terminate();
    isHeard = false;
    socket.ping();
    await pause(clock, PING_EVERY_MS, gone);
  }
}
