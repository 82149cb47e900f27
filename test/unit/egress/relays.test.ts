import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addressRules } from '../../../src/egress/addressRules.ts';
import { movedClock } from '../hls/transportServer.ts';
import { gateSetup, loopback, serve, until } from './gateSetup.ts';

async function udpSocket(): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

const said = async (socket: dgram.Socket): Promise<string> => {
  const [bytes] = await once(socket, 'message');
  return String(bytes);
};

describe('a relay', () => {
  test('of TCP stands for one target, and counts', async () => {
    const port = await serve(net.createServer((socket) => void socket.pipe(socket)));
    const { pass } = await gateSetup();
    const relay = await pass.relay({ protocol: 'tcp', host: '127.0.0.1', port });
    expect(relay.port).not.toBe(port);
    const socket = net.connect(relay.port, relay.host);
    socket.end('hello');
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).toBe('hello');
    expect([pass.receivedBytes, pass.sentBytes]).toEqual([5, 5]);
  });

  test('is refused for what is not permitted: addresses, names, and names that change later', async () => {
    const port = await serve(net.createServer());
    let asked = 0;
    const lookup: net.LookupFunction = (_host, options, callback) => {
      const address = asked++ === 0 ? '1.1.1.1' : '127.0.0.1';
      if (options.all === true) callback(null, [{ address, family: 4 }]);
      else callback(null, address, 4);
    };
    const { pass } = await gateSetup({ rules: addressRules([]) }, { lookup });
    for (const protocol of ['tcp', 'udp'] as const) {
      await expect(pass.relay({ protocol, host: '[::1]', port })).rejects.toMatchObject({
        code: 'address.refused',
      });
    }
    const relay = await pass.relay({ protocol: 'tcp', host: 'rebound.example', port });
    const socket = net.connect(relay.port, relay.host);
    await expect(once(socket, 'data')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(
      pass.relay({ protocol: 'udp', host: 'rebound.example', port }),
    ).rejects.toMatchObject({ code: 'address.refused' });
    expect(pass.refused).toEqual([`[::1]:${port}`, `rebound.example:${port}`]);
  });

  test('of UDP carries one flow, and another one when that is silent', async () => {
    const clock = movedClock();
    const target = await udpSocket();
    target.on('message', (bytes, from) => target.send(`${bytes}!`, from.port, from.address));
    const { pass } = await gateSetup({ rules: loopback }, { clock });
    const { port } = target.address();
    const relay = await pass.relay({ protocol: 'udp', host: '127.0.0.1', port });
    const [program, stranger] = [await udpSocket(), await udpSocket()];
    const send = (from: dgram.Socket, text: string) => from.send(text, relay.port, relay.host);
    send(program, 'one');
    expect(await said(program)).toBe('one!');
    send(stranger, 'me too');
    send(program, 'two');
    expect(await said(program)).toBe('two!');
    clock.move(1_500);
    send(stranger, 'now');
    expect(await said(stranger)).toBe('now!');
    expect([pass.receivedBytes, pass.sentBytes]).toEqual([12, 9]);
    pass.close();
    pass.close();
  });

  test('of UDP holds back what is above the cap, and lets it through later', async () => {
    const clock = movedClock();
    const target = await udpSocket();
    const { pass } = await gateSetup({ rules: loopback, bytesPerSecondMax: 40_000 }, { clock });
    const { port } = target.address();
    const relay = await pass.relay({ protocol: 'udp', host: '127.0.0.1', port });
    const program = await udpSocket();
    const got: string[] = [];
    program.on('message', (bytes) => void got.push(bytes.toString('latin1', 0, 1)));
    program.send('hello', relay.port, relay.host);
    const [, flow] = await once(target, 'message');
    const send = (text: string) => target.send(text.padEnd(1_000), flow.port, flow.address);
    // The cap lets ten through at once, and one on credit.
    for (const text of 'abcdefghijklm') send(text);
    await until(() => got.length >= 11);
    // Whatever is on its way is there after two more ways through the relay.
    for (const text of ['one', 'two']) {
      program.send(text, relay.port, relay.host);
      expect(await said(target)).toBe(text);
    }
    expect(got.join('')).toBe('abcdefghijk');
    expect(pass.receivedBytes).toBe(11_000);
    clock.move(25);
    clock.move(25);
    await until(() => got.length >= 13);
    expect(got.join('')).toBe('abcdefghijklm');
    pass.close();
  });

  test('of UDP outlives a target that does not listen', async () => {
    const { pass } = await gateSetup();
    const gone = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address();
    gone.close();
    const relay = await pass.relay({ protocol: 'udp', host: '127.0.0.1', port });
    const program = await udpSocket();
    for (let count = 0; count < 5; count++) {
      program.send('anybody?', relay.port, relay.host);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const target = dgram.createSocket('udp4');
    onTestFinished(() => void target.close());
    target.bind(port, '127.0.0.1');
    await once(target, 'listening');
    program.send('hello', relay.port, relay.host);
    expect(await said(target)).toBe('hello');
  });
});
