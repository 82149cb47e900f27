import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * The first process in a new network: makes the listeners, hands them to its parent, and waits until that holds the network
 * by a descriptor of its own. After this nobody has to stay in the network for it to go on.
 *
 * Arguments: how many TCP listeners, how many UDP sockets. Messages: `{ pid }`, then one `tcp` or `udp` with each handle.
 */
const ADDRESS = '127.0.0.1';

const [tcpCount, udpCount] = process.argv.slice(2).map(Number);
const servers: Server[] = [];
const sockets: Socket[] = [];
for (let count = 0; count < (tcpCount ?? 0); count++) {
  const server = createServer({ pauseOnConnect: true }).listen(0, ADDRESS);
  await once(server, 'listening');
  servers.push(server);
}
for (let count = 0; count < (udpCount ?? 0); count++) {
  const socket = createSocket('udp4').bind(0, ADDRESS);
  await once(socket, 'listening');
  sockets.push(socket);
}

process.send?.({ pid: process.pid });
for (const server of servers) process.send?.('tcp', server);
for (const socket of sockets) process.send?.('udp', socket);
// The parent closes the channel when it holds everything; when it dies, the channel closes too.
process.on('disconnect', () => process.exit());
