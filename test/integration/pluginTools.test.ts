import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findTools } from '../../src/programs/findTools.ts';
import { pluginNamed } from '../../src/programs/plugins.ts';
import type {
  FoundTool,
  ProgramExit,
  ProgramOrder,
  RecorderPlugin,
} from '../../src/programs/recorderPlugin.ts';
import { type Origin, startOrigin } from '../support/origin/origin.ts';
import type { StreamOptions } from '../support/origin/streamOptions.ts';
import { freePort } from '../support/worlds/ports.ts';

const { PATH = '' } = process.env;
const tools = await findTools({ searchPath: PATH });

const CREDENTIALS = `Basic ${Buffer.from('pass:proxysecret').toString('base64')}`;
/** Some seconds of the small show. */
const ENOUGH_BYTES = 100_000;
const PACKET_BYTES = 188;

/** Its timestamps jump back before these segments. */
const JUMPING: StreamOptions = {
  vod: true,
  switches: [
    { at: 2, set: 'ts' },
    { at: 3, set: 'ts' },
    { at: 8, set: 'ts' },
  ],
};

/** A way out like the gate's: nothing passes without its credentials. */
interface Way {
  readonly url: string;
  /** Headers of what passed, by path. */
  readonly passed: { readonly url: string; readonly headers: NodeJS.Dict<string | string[]> }[];
}

let origin: Origin;
let way: Way;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  origin = await startOrigin({ streams: { ts: {}, film: { vod: true }, jumps: JUMPING } });
  closing.push(async () => await origin.stop());
  way = await startWay();
});

afterAll(async () => {
  for (const close of closing) await close();
});

async function startWay(): Promise<Way> {
  const passed: Way['passed'] = [];
  const server = createServer((asked, answer) => {
    const { host: _, 'proxy-authorization': credentials, ...headers } = asked.headers;
    if (credentials !== CREDENTIALS) {
      answer.writeHead(407, { 'proxy-authenticate': 'Basic realm="way out"' }).end();
      return;
    }
    passed.push({ url: asked.url ?? '', headers });
    if (asked.url?.includes('/html/') === true) {
      answer.setHeader('content-type', 'text/html');
      answer.end('<html><body><p>Nothing to see.</p></body></html>');
      return;
    }
    if (asked.url?.endsWith('/page') === true) {
      answer.setHeader('content-type', 'text/html');
      answer.end(`<html><title>A</title><video src="${origin.playlistUrl()}"></video></html>`);
      return;
    }
    const on = request(asked.url ?? '', { method: asked.method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    on.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
    asked.pipe(on);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  // A TCP server's address is an AddressInfo; strings are for pipes.
  const { port } = server.address() as AddressInfo;
  return { url: `http://pass:proxysecret@127.0.0.1:${port}`, passed };
}

interface Ran {
  readonly media: Buffer;
  readonly exit: ProgramExit;
  readonly commandLine: string;
}

/** Runs a plugin's command as the cage would, until it has put out enough or ends. */
async function run(
  plugin: RecorderPlugin,
  link: string,
  { signal = 'SIGKILL', ...changes }: Partial<ProgramOrder> & { signal?: NodeJS.Signals } = {},
): Promise<Ran> {
  const tool = tools.get(plugin.tool.command);
  if (tool === undefined) throw new Error(`${plugin.name} is not there`);
  const workDirectory = mkdtempSync(join(tmpdir(), 'kennel-plugin-'));
  onTestFinished(() => rmSync(workDirectory, { recursive: true, force: true }));
  const ffmpeg: FoundTool | undefined = tools.get('ffmpeg');
  const command = plugin.command({
    source: { kind: 'hls', url: new URL(link) },
    quality: ['best'],
    audioOnly: false,
    headers: {},
    proxyUrl: way.url,
    workDirectory,
    tool,
    ...(ffmpeg && { ffmpeg }),
    nodePath: process.execPath,
    ...changes,
  });
  for (const { name, content } of command.files ?? []) {
    writeFileSync(join(workDirectory, name), content, { mode: 0o600 });
  }
  const child = spawn(tool.path, command.arguments, {
    cwd: workDirectory,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME: workDirectory, TMPDIR: workDirectory, ...command.environment },
  });
  onTestFinished(() => endGroup(child, 'SIGKILL'));
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderrTail = '';
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (bytes < ENOUGH_BYTES && bytes + chunk.length >= ENOUGH_BYTES) endGroup(child, signal);
    bytes += chunk.length;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderrTail += text));
  await once(child, 'close');
  const { exitCode, signalCode } = child;
  const exit: ProgramExit = {
    ...(exitCode !== null && { exitCode }),
    ...(signalCode !== null && { signal: signalCode }),
    stderrTail: stderrTail.slice(-16_384),
    hadMedia: bytes > 0,
    refused: [],
  };
  return { media: Buffer.concat(chunks), exit, commandLine: command.arguments.join(' ') };
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already.
  }
}

/** Whether each packet begins where it should. */
const isTransportStream = (media: Buffer): boolean =>
  media.length > ENOUGH_BYTES / 2 &&
  [0, 1, 2, 50].every((packet) => media[packet * PACKET_BYTES] === 0x47);

for (const name of ['ffmpeg', 'yt-dlp', 'streamlink']) {
  const plugin = pluginNamed(name);
  const isThere = tools.has(plugin.tool.command);
  const title = isThere ? `${name} ${tools.get(name)?.version}` : `${name} (skipped: not on PATH)`;
  describe.skipIf(!isThere)(title, () => {
    test('records a live stream to its standard output, through its own way out', async () => {
      way.passed.length = 0;
      const { media, exit } = await run(plugin, origin.playlistUrl());
      expect({ exit, isMedia: isTransportStream(media) }).toMatchObject({ isMedia: true });
      expect(way.passed.length).toBeGreaterThan(2);
    });

    test('sends headers and cookies that nobody sees in its arguments', async () => {
      way.passed.length = 0;
      const { media, exit, commandLine } = await run(plugin, origin.playlistUrl('film'), {
        headers: { 'X-Key': `it's "a" $key`, 'User-Agent': 'Kennel/1' },
        cookies: '127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tcookie-value\n',
      });
      expect({ exit, isMedia: isTransportStream(media) }).toMatchObject({ isMedia: true });
      expect(commandLine).not.toMatch(/cookie-value|\$key|Kennel\/1|proxysecret/);
      const lists = way.passed.filter(({ url }) => url.includes('.m3u8'));
      expect(lists.at(-1)?.headers).toMatchObject({
        'x-key': `it's "a" $key`,
        'user-agent': 'Kennel/1',
        cookie: 'session=cookie-value',
      });
    });

    test('that nothing is there is said as it is', async () => {
      const { exit } = await run(plugin, `${origin.url}/live/nope/index.m3u8`);
      expect(explained(plugin, exit)).toMatchObject({ fault: 'source', why: 'source.notFound' });
    });

    test('that nobody answers is said as it is', async () => {
      const { exit } = await run(plugin, `http://127.0.0.1:${await freePort()}/index.m3u8`);
      expect(explained(plugin, exit)).toMatchObject({ fault: 'source', why: 'source.unavailable' });
    });

    test('a page instead of media is no media', async () => {
      const { exit } = await run(plugin, `${origin.url}/html/index.m3u8`);
      expect(explained(plugin, exit)).toMatchObject({ fault: 'source', why: 'source.unsupported' });
    });

    test('whoever ended it is told apart from the source', async () => {
      const { exit: killed } = await run(plugin, origin.playlistUrl());
      expect(explained(plugin, killed)).toMatchObject({ fault: 'machine', why: 'signal.SIGKILL' });
      const { exit: stopped } = await run(plugin, origin.playlistUrl(), { signal: 'SIGINT' });
      const { fault } = explained(plugin, stopped);
      expect({ stopped, fault }).not.toMatchObject({ fault: 'source' });
      expect(plugin.explainExit({ ...stopped, asked: 'stop' }).fault).not.toBe('source');
    });
  });
}

const explained = (plugin: RecorderPlugin, exit: ProgramExit) => ({
  exit,
  ...plugin.explainExit(exit),
});

describe.skipIf(!tools.has('yt-dlp'))('yt-dlp before a page', () => {
  test('finds the stream in it and records that', async () => {
    const page = new URL(`${origin.url}/page`);
    const plugin = pluginNamed('yt-dlp');
    const { media, exit } = await run(plugin, page.href, { source: { kind: 'page', url: page } });
    expect({ exit, isMedia: isTransportStream(media) }).toMatchObject({ isMedia: true });
  });
});

for (const name of ['ffmpeg', 'yt-dlp'] as const) {
  describe.skipIf(!tools.has('ffmpeg') || !tools.has(name))(`timestamps through ${name}`, () => {
    const plugin = pluginNamed(name);

    // That is what joins runs, and what tells how much is missing between them.
    test('are the same for the same pictures in two runs', async () => {
      const both = await Promise.all([
        run(plugin, origin.playlistUrl()),
        run(plugin, origin.playlistUrl()),
      ]);
      const [first = [], second = []] = both.map(({ media }) => picturesOf(media));
      const shared = first.filter(([picture]) => second.some(([other]) => other === picture));
      expect(shared.length).toBeGreaterThan(20);
      for (const one of shared) expect(second).toContainEqual(one);
    });

    test('are those of the source, also where they jump back', async () => {
      const { media } = await run(plugin, origin.playlistUrl('jumps'));
      const found = picturesOf(media).map(([, times]) => times);
      const source = await Promise.all([0, 1, 0, 0, 1, 2, 3, 4].map(segmentOf));
      const wanted = source.flatMap((segment) => picturesOf(segment).map(([, times]) => times));
      // Three segments, and two jumps.
      expect(found.length).toBeGreaterThan(75);
      expect(found.slice(0, wanted.length)).toEqual(wanted.slice(0, found.length));
    });
  });
}

const segmentOf = async (number: number): Promise<Buffer> =>
  await readFile(
    join(import.meta.dirname, `../fixtures/media/ts/${String(number).padStart(3, '0')}.mpegts`),
  );

/** Of each picture, what it begins with behind its header, and its times as they are written. */
function picturesOf(media: Buffer): (readonly [picture: string, times: string])[] {
  const pictures: (readonly [string, string])[] = [];
  for (let at = 0; at + PACKET_BYTES <= media.length; at += PACKET_BYTES) {
    const packet = media.subarray(at, at + PACKET_BYTES);
    const start = packet.indexOf(Buffer.from([0, 0, 1, 0xe0]));
    if (start < 4 || ((packet[1] ?? 0) & 0x40) === 0) continue;
    const timesEnd = start + 9 + ((packet[start + 7] ?? 0) >> 6 === 3 ? 10 : 5);
    const picture = packet.subarray(start + 9 + (packet[start + 8] ?? 0)).toString('hex');
    pictures.push([picture, packet.subarray(start + 9, timesEnd).toString('hex')]);
  }
  return pictures;
}
