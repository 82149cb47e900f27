import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { type ControlMessage, controlMessage } from '../../../src/control/protocol.ts';

/** Speaks the protocol of control over a WebSocket. */
export class ControlClient {
  readonly socket: WebSocket;
  readonly events: ControlMessage[] = [];
  readonly #waiting = new Map<string, (message: ControlMessage) => void>();
  #asked = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = controlMessage.parse(JSON.parse(data.toString()));
      if (message.type === 'event') this.events.push(message);
      else this.#waiting.get(message.id ?? '')?.(message);
    });
  }

  static async open(url: string, options: ClientOptions = {}): Promise<ControlClient> {
    const socket = new WebSocket(url, options);
    await once(socket, 'open');
    return new ControlClient(socket);
  }

  async ask(request: Readonly<Record<string, unknown>>): Promise<ControlMessage> {
    this.#asked += 1;
    const id = `r${this.#asked}`;
    const answered = new Promise<ControlMessage>((resolve) => this.#waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ v: 1, id, ...request }));
    return await answered;
  }

  /** Resolves with the code that it was closed with. */
  async closed(): Promise<number> {
    const [code] = await once(this.socket, 'close');
    return Number(code);
  }
}

/** The status that an upgrade is refused with. */
export async function refusedWith(url: string, options: ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options);
  return await new Promise((resolve, reject) => {
    socket.on('error', () => undefined);
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('it was let in'));
    });
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
}
