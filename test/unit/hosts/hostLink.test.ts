import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { PROTOCOL, type ToSupervisor, writeMessage } from '../../../src/hosts/host/protocol.ts';
import { HOST_LIMITS } from '../../../src/hosts/pool/hostLimits.ts';
import { HostLink } from '../../../src/hosts/pool/hostLink.ts';
import { startTicksOf } from '../../../src/process/procfs.ts';
import { SHORT_LIMITS, until } from '../../fixtures/hostBench.ts';

const HELLO: ToSupervisor = {
  type: 'hello',
  protocol: PROTOCOL,
  hostId: 'h-00000000',
  pid: 1,
  startedAt: 0,
  recorders: [],
  exits: [],
};

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A link to a host whose words come from `talk` and whose process is a `sleep`. */
async function setup(talk: (socket: Socket, connections: number) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-link-'));
  const socketPath = join(directory, 'h-00000000.sock');
  let connections = 0;
  const said: string[] = [];
  const server = createServer((socket) => {
    connections += 1;
    socket.on('data', (bytes: Buffer) => said.push(...bytes.toString().trim().split('\n')));
    socket.on('error', () => undefined);
    talk(socket, connections);
  });
  server.listen(socketPath);
  await once(server, 'listening');
  const child: ChildProcess = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
  const pid = child.pid ?? Number.NaN;
  const heard: string[] = [];
  const link = new HostLink({
    hostId: 'h-00000000',
    socketPath,
    process: { pid, startTicks: startTicksOf(pid) },
    clock: systemClock,
    log: () => undefined,
    limits: { ...HOST_LIMITS, ...SHORT_LIMITS },
    listener: {
      hello: () => heard.push('hello'),
      message: ({ type }) => heard.push(type),
      superseded: (byPid) => heard.push(`superseded ${byPid}`),
      gone: async (why) => void heard.push(`gone ${why}`),
    },
  });
  cleanups.push(() => {
    link.leave();
    server.close();
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  return { link, heard, said, child, connections: () => connections };
}

const hello = (socket: Socket) => socket.write(writeMessage(HELLO));

describe('HostLink', () => {
  it('introduces itself, and connects again when only the connection breaks', async () => {
    const { link, heard, said, child } = await setup((socket, connections) => {
      hello(socket);
      if (connections === 1) setTimeout(() => socket.destroy(), 20);
    });
    await until(() => heard.length === 2);
    expect(heard).toEqual(['hello', 'hello']);
    expect(said.filter((line) => line.includes('takeover'))).toHaveLength(2);
    expect(link.isWelcome).toBe(true);
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  it('kills a host whose connections all break', async () => {
    const { link, heard, child, connections } = await setup((socket) => {
      hello(socket);
      setTimeout(() => socket.end('no JSON\n'), 5);
    });
    await link.closed;
    expect(heard.at(-1)).toBe('gone host.unreachable');
    expect(connections()).toBe(5);
    await until(() => child.signalCode === 'SIGKILL');
  });

  it('kills a host that never says hello', async () => {
    const { link, heard, child } = await setup(() => undefined);
    await link.settled;
    expect(heard).toEqual(['gone host.silent']);
    await until(() => child.signalCode === 'SIGKILL');
  });

  it('sends a host of another version away, in good order', async () => {
    const { link, heard, said, child } = await setup((socket) => {
      socket.write(`${JSON.stringify({ type: 'hello', protocol: PROTOCOL + 1 })}\n`);
      socket.on('data', (bytes: Buffer) => {
        if (bytes.toString().includes('quit')) socket.end();
      });
    });
    await link.settled;
    expect(said.at(-1)).toBe('{"type":"quit"}');
    expect(heard).toEqual(['gone host.foreign']);
    await until(() => child.signalCode === 'SIGTERM');
  });

  it('lets go of a host that belongs to another, and of one that it leaves', async () => {
    const { link, heard, child } = await setup((socket) => {
      hello(socket);
      socket.write(writeMessage({ type: 'superseded', byPid: 7 }));
    });
    await link.closed;
    expect(heard).toEqual(['hello', 'superseded 7']);
    const left = await setup(hello);
    await left.link.settled;
    left.link.leave();
    await left.link.closed;
    expect(left.heard).toEqual(['hello']);
    expect([child.signalCode, left.child.signalCode]).toEqual([null, null]);
  });
});
