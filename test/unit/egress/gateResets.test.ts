import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { movedClock } from '../hls/transportServer.ts';
import { authorizationOf, gateSetup, portOf, serve, tunnelTo, until } from './gateSetup.ts';

/** What a program may send before it is gone: nothing, half a head, rubbish, a head that never ends, a whole request. */
const beginnings = (authorization: string, target: string): readonly string[] => [
  '',
  'CONN',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  `GET http://${target}/ HTTP/1.1\r\n${'x'.repeat(100_000)}`,
  `CONNECT ${target} HTTP/1.1\r\n\r\n`,
  `CONNECT ${target} HTTP/1.1\r\nproxy-authorization: ${authorization}\r\n\r\n`,
  `CONNECT ${target} HTTP/1.1\r\nproxy-authorization: ${authorization}\r\n\r\nearly bytes`,
  `CONNECT silent.example:1 HTTP/1.1\r\nproxy-authorization: ${authorization}\r\n\r\n`,
  `GET http://${target}/ HTTP/1.1\r\nproxy-authorization: ${authorization}\r\n\r\n`,
  `POST http://${target}/ HTTP/1.1\r\nproxy-authorization: ${authorization}\r\ncontent-length: 9999\r\n\r\nhalf`,
];

test('programs, targets and strangers that break off at any moment leave nothing behind', async () => {
  const outside = new Set<net.Socket>();
  const port = await serve(
    net.createServer((socket) => {
      outside.add(socket);
      socket.once('close', () => outside.delete(socket));
      socket.on('data', () => socket.write('x'));
    }),
  );
  // Names are never answered: whoever asks for one is still waiting when the program goes.
  const lookup = () => undefined;
  const clock = movedClock();
  const { gate, network, pass } = await gateSetup({}, { lookup, clock });
  const { hostname, port: proxyPort } = new URL(pass.proxyUrl);
  const relay = await pass.relay({ protocol: 'tcp', host: '127.0.0.1', port });
  const texts = beginnings(authorizationOf(pass.proxyUrl), `127.0.0.1:${port}`);
  for (let round = 0; round < 10; round++) {
    const inside = [...texts.map(() => Number(proxyPort)), relay.port].map((to) =>
      net.connect(to, hostname).on('error', () => undefined),
    );
    await Promise.all(inside.map((socket) => once(socket, 'connect')));
    inside.forEach((socket, index) => void socket.write(texts[index] ?? 'hello', 'latin1'));
    for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (round % 3 === 0) for (const socket of outside) socket.resetAndDestroy();
    inside.forEach((socket, index) => {
      if ((index + round) % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    });
  }
  const connections = (server: net.Server) =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  const left = async () => {
    const counts = await Promise.all(network.servers.map(connections));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  // Those that wait for a name are let go when its time is over; whether anybody still listens is noticed then.
  while ((await left()) > 0) {
    clock.move(1_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(clock.elapsed()).toBeLessThan(110_000);
  // It still works.
  expect((await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`)).status).toBe(200);
  expect(pass.refused).toEqual([]);
  await gate.close();
  await until(() => outside.size === 0);
  expect(network.servers.map((server) => server.listening)).toEqual([false, false]);
  await gate.close();
});

test('a network that goes away takes its listener along, and the next pass gets another one', async () => {
  const port = await serve(net.createServer());
  const { gate, network, pass } = await gateSetup();
  const [first] = network.servers;
  first?.close();
  if (first?.listening === true) await once(first, 'close');
  const next = await gate.pass(network, { rules: { permits: () => true } });
  expect(network.servers).toHaveLength(2);
  expect(new URL(next.proxyUrl).port).toBe(String(portOf(network.servers[1] ?? new net.Server())));
  expect((await tunnelTo(next.proxyUrl, `127.0.0.1:${port}`)).status).toBe(200);
  pass.close();
});
