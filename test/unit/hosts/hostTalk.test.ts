import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RecorderExit } from '../../../machines/ports.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { Host } from '../../../src/hosts/host/host.ts';
import { lineReader } from '../../../src/hosts/host/lines.ts';
import { type ToHost, writeMessage } from '../../../src/hosts/host/protocol.ts';
import { jobOf, until } from '../../fixtures/hostBench.ts';

/** A clock whose timers fire when the test says so; the recorders let go at once, so nothing waits for them. */
class HandClock implements Clock {
  ms = 0;
  readonly #timers = new Map<object, { at: number; callback: () => void }>();
  now(): number {
    return this.ms;
  }
  elapsed(): number {
    return this.ms;
  }
  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = {};
    this.#timers.set(timer, { at: this.ms + delayMs, callback });
    return timer;
  }
  clearTimeout(timer: unknown): void {
    if (typeof timer === 'object' && timer !== null) this.#timers.delete(timer);
  }
  move(byMs: number): void {
    this.ms += byMs;
    for (const [timer, { at, callback }] of [...this.#timers]) {
      if (at > this.ms || !this.#timers.delete(timer)) continue;
      callback();
    }
  }
}

/** Somebody who talks to the host over its socket. */
class Peer {
  readonly heard: { type: string; [field: string]: unknown }[] = [];
  readonly socket: Socket;
  isClosed = false;
  constructor(path: string) {
    const read = lineReader(1_000_000);
    this.socket = createConnection(path);
    this.socket.on('data', (bytes: Buffer) => {
      for (const line of read(bytes)) this.heard.push(JSON.parse(line));
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }
  say(message: ToHost): void {
    this.socket.write(writeMessage(message));
  }
  async hears(type: string) {
    await until(() => this.heard.some((message) => message.type === type));
    return this.heard.find((message) => message.type === type);
  }
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-talk-'));
  const socketPath = join(directory, 'h-00000000.sock');
  const clock = new HandClock();
  const ends = new Map<string, (exit: RecorderExit) => void>();
  const kills: string[] = [];
  const host = new Host({
    hostId: 'h-00000000',
    socketPath,
    startRecorder: ({ job }) => {
      const { promise, resolve } = Promise.withResolvers<RecorderExit>();
      ends.set(job.id, resolve);
      const end = (why: string) => resolve({ kind: 'crashed', why, retryable: true, evidence: {} });
      const kill = (why: string) => {
        kills.push(`${job.id} ${why}`);
        end(why);
      };
      const progress = () => ({ beats: 1, bytes: 2, advertised: 3, settled: 4 });
      return { exited: promise, stop: end, kill, progress };
    },
    clock,
    random: () => 0,
    log: () => undefined,
  });
  await host.listen();
  const peers: Peer[] = [];
  const connect = () => {
    const peer = new Peer(socketPath);
    peers.push(peer);
    return peer;
  };
  cleanups.push(() => {
    for (const { socket } of peers) socket.destroy();
    void host.quit('test');
    rmSync(directory, { recursive: true, force: true });
  });
  const supervisor = async () => {
    const peer = connect();
    peer.say({ type: 'takeover', protocol: 1, pid: 1 });
    await peer.hears('hello');
    return peer;
  };
  /** Until everything said before has arrived. */
  const pong = async (peer: Peer) => {
    peer.say({ type: 'ping' });
    await peer.hears('pong');
  };
  return { directory, socketPath, clock, host, ends, kills, connect, supervisor, pong };
}

const START = (jobId: string): ToHost => ({ type: 'start', job: jobOf(jobId), directory: '/rec' });

describe('Host', () => {
  it('lets nobody but its user use the socket', async () => {
    const { socketPath } = await setup();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  });

  it('tells numbers about once a second, and only to a supervisor', async () => {
    const { clock, supervisor, connect, pong } = await setup();
    const stranger = connect();
    const peer = await supervisor();
    peer.say(START('a'));
    await pong(peer);
    clock.move(1_000);
    const progress = { beats: 1, bytes: 2, advertised: 3, settled: 4 };
    expect(await peer.hears('progress')).toMatchObject({
      recorders: [{ jobId: 'a', attempt: 1, progress }],
    });
    expect(stranger.heard).toEqual([]);
  });

  it('obeys nobody who has not taken over, and sends a silent stranger away', async () => {
    const { clock, connect, supervisor, ends, pong } = await setup();
    const peer = await supervisor();
    const stranger = connect();
    stranger.say(START('b'));
    stranger.say({ type: 'quit' });
    await until(() => stranger.socket.bytesWritten > 0 && !stranger.socket.connecting);
    await pong(peer);
    expect(ends.size).toBe(0);
    clock.move(5_000);
    await until(() => stranger.isClosed);
    expect(peer.isClosed).toBe(false);
  });

  it('survives nonsense, and a supervisor that talked nonsense can come again', async () => {
    const { supervisor, ends } = await setup();
    const peer = await supervisor();
    peer.say(START('a'));
    peer.socket.write('{"type":"format"}\n');
    await until(() => peer.isClosed);
    const again = await supervisor();
    expect(await again.hears('hello')).toMatchObject({ recorders: [{ jobId: 'a' }] });
    expect(ends.size).toBe(1);
  });

  it('belongs to the newest supervisor, and tells the former one so', async () => {
    const { supervisor, ends, kills, pong } = await setup();
    const former = await supervisor();
    former.say(START('a'));
    await pong(former);
    const newest = await supervisor();
    expect(await former.hears('superseded')).toEqual({ type: 'superseded', byPid: 1 });
    await until(() => former.isClosed);
    await pong(newest);
    expect(ends.size).toBe(1);
    expect(kills).toEqual([]);
  });

  it('keeps an exit for the supervisor to come, until it is acknowledged', async () => {
    const { supervisor, ends, pong } = await setup();
    const first = await supervisor();
    first.say(START('a'));
    await pong(first);
    first.socket.destroy();
    ends.get('a')?.({ kind: 'ended', why: 'endlist', retryable: false, evidence: { at: 1 } });
    const second = await supervisor();
    expect(await second.hears('hello')).toMatchObject({
      recorders: [],
      exits: [{ jobId: 'a', attempt: 1, exit: { why: 'endlist', evidence: { at: 1 } } }],
    });
    second.say({ type: 'acknowledge', jobId: 'a', attempt: 1 });
    await pong(second);
    const third = await supervisor();
    expect(await third.hears('hello')).toMatchObject({ exits: [] });
  });

  it('records on without a supervisor for the grace, and then leaves everything in order', async () => {
    const { clock, supervisor, host, kills, pong, directory } = await setup();
    const peer = await supervisor();
    peer.say(START('a'));
    await pong(peer);
    clock.move(60_000);
    expect(kills).toEqual([]);
    peer.socket.destroy();
    // The grace begins when the host has seen that the connection is gone: at one of these moments.
    await until(() => {
      clock.move(1_000);
      return kills.length > 0;
    });
    expect(kills).toEqual(['a orphaned']);
    const ended = host.ended.then(() => true);
    await until(() => {
      clock.move(10);
      return readdirSync(directory).length === 0;
    });
    expect(await ended).toBe(true);
  });

  it('ends when no supervisor ever comes', async () => {
    const { clock, host, directory } = await setup();
    clock.move(29_999);
    expect(readdirSync(directory)).toHaveLength(2);
    clock.move(1);
    await host.ended;
    expect(readdirSync(directory)).toEqual([]);
  });

  it('tells the exits of all its recorders before it quits', async () => {
    const { clock, supervisor, host, pong } = await setup();
    const peer = await supervisor();
    peer.say(START('a'));
    await pong(peer);
    peer.say({ type: 'quit' });
    expect(await peer.hears('exited')).toMatchObject({ jobId: 'a', killed: false });
    await until(() => {
      clock.move(10);
      return peer.isClosed;
    });
    await host.ended;
  });
});
