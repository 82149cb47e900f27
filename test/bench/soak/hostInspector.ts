import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Inside } from './protocol.ts';

/** Where Node opens its inspector on SIGUSR1. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list';
const OPEN_MS = 10_000;

const targets = z.array(z.object({ webSocketDebuggerUrl: z.string() })).min(1);
const answer = z.object({
  id: z.number(),
  result: z.object({ result: z.object({ value: z.unknown() }).optional() }).optional(),
});
const told = z.object({
  pid: z.number(),
  heapBytes: z.number(),
  kinds: z.array(z.string()),
});

const QUESTION = `({ pid: process.pid, heapBytes: process.memoryUsage().heapUsed, kinds: process.getActiveResourcesInfo() })`;

/**
 * Asks a process that has no channel for it about its inside, through Node's inspector, which SIGUSR1 opens. Undefined when it
 * cannot be asked: its port is somebody else's.
 */
export async function insideOf(pid: number): Promise<Inside | undefined> {
  process.kill(pid, 'SIGUSR1');
  const url = await addressOf();
  if (url === undefined) return undefined;
  const socket = new WebSocket(url);
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    await ask(socket, { id: 1, method: 'HeapProfiler.collectGarbage' });
    const value = await ask(socket, {
      id: 2,
      method: 'Runtime.evaluate',
      params: { expression: QUESTION, returnByValue: true },
    });
    const { kinds, heapBytes, ...who } = told.parse(value);
    if (who.pid !== pid) return undefined;
    const resources: Record<string, number> = {};
    for (const kind of kinds) resources[kind] = (resources[kind] ?? 0) + 1;
    return { heapBytes, resources };
  } catch {
    return undefined; // it ended meanwhile
  } finally {
    socket.close();
  }
}

async function addressOf(): Promise<string | undefined> {
  const deadline = performance.now() + OPEN_MS;
  while (performance.now() < deadline) {
    const response = await fetch(INSPECTOR).catch(() => undefined);
    const list = targets.safeParse(await response?.json().catch(() => undefined));
    if (list.success) return list.data[0]?.webSocketDebuggerUrl;
    await sleep(100);
  }
  return undefined;
}

interface Question {
  readonly id: number;
  readonly method: string;
  readonly params?: object;
}

function ask(socket: WebSocket, question: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const hear = (event: MessageEvent): void => {
      const { id: of, result } = answer.parse(JSON.parse(String(event.data)));
      if (of !== question.id) return;
      socket.removeEventListener('message', hear);
      resolve(result?.result?.value);
    };
    socket.addEventListener('message', hear);
    socket.addEventListener('close', () => reject(new Error('the inspector is closed')));
    socket.send(JSON.stringify(question));
  });
}
