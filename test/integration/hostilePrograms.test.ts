import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Cage, CageNetwork } from '../../src/cage/cage.ts';
import { openCage } from '../../src/cage/openCage.ts';
import { systemClock } from '../../src/core/clock.ts';
import { isKennelError } from '../../src/core/errors.ts';
import { addressRules } from '../../src/egress/addressRules.ts';
import { type EgressGate, egressGate } from '../../src/egress/egressGate.ts';
import type { ResolvedLink, ResolveOptions } from '../../src/intake/link.ts';
import { ytDlpAnswer } from '../../src/intake/ytDlpAnswer.ts';
import { ytDlpResolver } from '../../src/intake/ytDlpResolver.ts';
import { jobSpec } from '../../src/jobs/jobRequest.ts';
import { findTools } from '../../src/programs/findTools.ts';
import { pluginNamed } from '../../src/programs/plugins.ts';
import { prepareLaunch } from '../../src/programs/programLaunch.ts';
import type { FoundTool } from '../../src/programs/recorderPlugin.ts';
import { type Canary, canary, hostileLookup, hostileUrls } from '../fixtures/hostileUrls.ts';

/*
 * What is covered where. Every form, in test/integration/hostileUrls.test.ts: the native engine's fetches (links, redirects, variants,
 * segments, keys, maps), the gate (requests, tunnels, relays). Every form, here: what a job may be asked for, what a page may lead to,
 * and, as many as one program reads at a time, the pages of the resolver and the playlists of ffmpeg, yt-dlp and streamlink, straight and behind
 * redirects. Names that lead elsewhere the second time: ffmpeg, yt-dlp and streamlink, here. All programs run in the real cage,
 * with the real gate as their only way.
 */

const { PATH = '' } = process.env;
const tools = await findTools({ searchPath: PATH });
const TOOLS = ['yt-dlp', 'ffmpeg', 'streamlink'] as const;
type ToolName = (typeof TOOLS)[number];
const lacking = (name: ToolName): string =>
  tools.has(name) ? '' : ` (did not run: there is no ${name})`;

/** Some seconds of the small show. */
const MEDIA = globSync('../fixtures/media/ts/*.mpegts', { cwd: import.meta.dirname })
  .toSorted()
  .slice(0, 5)
  .map((file) => readFileSync(join(import.meta.dirname, file)));

/** A program that has not ended by itself after so long is ended, milliseconds. */
const PROGRAM_MS = 8_000;
/** Different addresses that it was kept from, after which it has shown enough: some try each several times. */
const ENOUGH = { ffmpeg: 60, streamlink: 12, 'yt-dlp': 12 } as const;
const LIMITS = {
  memoryBytesMax: 2e9,
  coresMax: 8,
  logBytesPerMinuteMax: 1e8,
  fileBytesMax: 1e8,
  openFilesMax: 1_024,
  processesMax: 128,
};

let directory: string;
let cage: Cage;
let network: CageNetwork;
let gate: EgressGate;
let site: Site;
let trap: Canary;
/** What the gate has kept programs from, `host:port`. */
const kept = new Set<string>();
let noticed: () => void = () => undefined;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kennel-hostile-'));
  closing.push(() => rm(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'questions'));
  cage = await openCage({
    mode: 'auto',
    searchPath: PATH,
    nodePath: process.execPath,
    runDirectory: join(directory, 'run'),
    clock: systemClock,
    log: () => undefined,
  });
  closing.push(() => cage.close());
  network = await cage.network({ tcp: 1, udp: 0 });
  gate = egressGate({
    clock: systemClock,
    log: (_level, _message, facts) => {
      kept.add(String(facts['target']));
      noticed();
    },
    lookup: steeredLookup,
  });
  closing.push(() => gate.close());
  site = await startSite();
  closing.push(() => site.close());
  trap = await canary();
  closing.push(() => trap.close());
}, 60_000);
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});
afterEach(() => expect(trap.connections).toBe(0));

interface Site {
  /** Where it may be reached, `host:port`. */
  readonly host: string;
  readonly url: string;
  readonly port: number;
  /** What it serves besides media, by path. */
  readonly pages: Map<string, string | { readonly location: string }>;
  readonly asked: string[];
  close(): void;
}

/** The one server that may be reached. On an address of its own: the canary listens at every address with another port. */
async function startSite(): Promise<Site> {
  const pages: Site['pages'] = new Map();
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    asked.push(path);
    const found = pages.get(path);
    if (typeof found === 'object') {
      response.writeHead(302, { location: encoded(found.location) }).end();
      return;
    }
    if (found === undefined && !path.startsWith('/good')) {
      response.writeHead(404).end();
      return;
    }
    const isPlaylist = found?.startsWith('#EXTM3U') === true;
    const type = isPlaylist ? 'application/vnd.apple.mpegurl' : 'text/html; charset=utf-8';
    // Each request of a program on a connection of its own: names are looked up for each.
    response.writeHead(200, {
      'content-type': found === undefined ? 'video/mp2t' : type,
      connection: 'close',
    });
    response.end(found ?? MEDIA[Number(/\d+/.exec(path)?.[0] ?? 0) % MEDIA.length]);
  });
  server.listen(0, '127.0.0.2');
  await once(server, 'listening');
  // A TCP server's address is an AddressInfo; strings are for pipes.
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.2:${port}`,
    url: `http://127.0.0.2:${port}`,
    port,
    pages,
    asked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const encoded = (form: string): string =>
  Buffer.from(form.replace(/[\t\n]/g, ''), 'utf8').toString('latin1');

let rebounds = 0;
/** `rebound.test` is the site and this machine by turns; everything else as hostile names are. */
const steeredLookup: LookupFunction = (host, options, callback) => {
  if (host !== 'rebound.test') {
    hostileLookup(host, options, callback);
    return;
  }
  const address = rebounds++ % 2 === 0 ? '127.0.0.2' : '127.0.0.1';
  if (options.all === true) callback(null, [{ address, family: 4 }]);
  else callback(null, address, 4);
};

const wishes = (reach: readonly string[]): ResolveOptions => ({
  signal: AbortSignal.timeout(60_000),
  quality: ['best'],
  reach,
});

/** What a page leads to, or the code of the refusal. */
async function resolved(page: string, reach = [site.host]): Promise<string> {
  const tool = tools.get('yt-dlp');
  if (tool === undefined) throw new Error('there is no yt-dlp');
  const resolve = ytDlpResolver({
    cage,
    gate,
    network,
    rules: addressRules,
    clock: systemClock,
    workRoot: join(directory, 'questions'),
    limits: LIMITS,
    tool,
    nodePath: process.execPath,
  });
  try {
    const { kind, url } = await resolve(new URL(page), wishes(reach));
    return `${kind} ${url.host}`;
  } catch (error) {
    if (isKennelError(error)) return error.code;
    throw error;
  }
}

let runs = 0;

interface Played {
  readonly bytes: number;
  readonly stderr: string;
  readonly refused: readonly string[];
}

/** Starts a program as a recording does, and lets it play for a while. */
async function played(
  name: ToolName,
  link: Pick<ResolvedLink, 'kind' | 'url'>,
  reach = [site.host],
): Promise<Played> {
  const tool: FoundTool | undefined = tools.get(name);
  if (tool === undefined) throw new Error(`there is no ${name}`);
  const ffmpeg = tools.get('ffmpeg');
  const launch = await prepareLaunch(
    {
      plugin: pluginNamed(name),
      tool,
      ...(ffmpeg && { ffmpeg }),
      resolve: () => Promise.reject(new Error('not asked')),
      cage,
      gate,
      sharedNetwork: async () => network,
      rules: addressRules(reach),
      limits: LIMITS,
      nodePath: process.execPath,
      marker: {},
    },
    { job: { id: 'job-1', attempt: 1, spec: jobSpec({ url: link.url.href }) }, directory },
    { resolved: { headers: {}, formats: [], ...link }, run: ++runs },
  );
  const { command, pass, workDirectory } = launch;
  const inherited = await Promise.all(command.inherit.map((file) => open(file, 'r')));
  const child = spawn(command.file, [...command.arguments], {
    cwd: workDirectory,
    env: command.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...inherited.map(({ fd }) => fd)],
  });
  let bytes = 0;
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString('utf8');
  });
  const end = () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(end, PROGRAM_MS);
  kept.clear();
  noticed = () => {
    if (kept.size >= ENOUGH[name]) end();
  };
  await once(child, 'close');
  clearTimeout(timer);
  noticed = () => undefined;
  for (const handle of inherited) await handle.close();
  const { refused } = pass;
  await launch.dispose();
  return { bytes, stderr, refused };
}

/** Lines and attributes of playlists and pages can hold these. */
const listable = () => hostileUrls(trap.port).filter((form) => !/["\t\n<>]/.test(form));

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;
const media = (...text: readonly string[]): string =>
  lines('#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:1', ...text, '#EXT-X-ENDLIST');
const video = (source: string): string =>
  `<video><source src="${source}" type="application/x-mpegURL"></video>`;
const page = (...sources: readonly string[]): string =>
  `<!DOCTYPE html><html><head><title>A show</title></head><body>${sources.map(video).join('\n')}</body></html>`;

/** An address of the site for each form, which redirects to it. */
const redirects = (forms: readonly string[], suffix: string): string[] =>
  forms.map((form, index) => {
    const path = `/to/${index}${suffix}`;
    site.pages.set(path, { location: form });
    return `${site.url}${path}`;
  });

describe('hostile links', () => {
  test('are no job but one for that very address, and never one for a file or another protocol', () => {
    for (const form of hostileUrls(trap.port)) {
      try {
        const { url } = jobSpec({ url: form });
        expect(new URL(url).protocol).toMatch(/^(?:https?|rtmps?|rtsps?|srt):$/);
      } catch (error) {
        expect(isKennelError(error) && error.code).toBe('url.invalid');
      }
    }
  });

  test('lead to nothing but the web, whatever yt-dlp says of them', () => {
    const link = new URL('http://page.example/watch');
    for (const form of hostileUrls(trap.port)) {
      for (const protocol of [
        'https',
        'm3u8_native',
        'http_dash_segments',
        'rtmp',
        'rtsp',
        'file',
      ]) {
        const info = { url: form, manifest_url: form, protocol, vcodec: 'avc1', acodec: 'mp4a' };
        for (const said of [
          info,
          { _type: 'url', url: form },
          { requested_formats: [info, info] },
        ]) {
          try {
            const answer = ytDlpAnswer(JSON.stringify(said), {
              link,
              wishes: { quality: ['best'] },
              resolver: 'yt-dlp 1',
              now: 0,
            });
            const urls =
              'onward' in answer ? [answer.onward] : [answer.url, answer.audioUrl ?? answer.url];
            const kind = 'onward' in answer ? 'page' : answer.kind;
            const wanted =
              kind === 'rtmp' || kind === 'rtsp' ? new RegExp(`^${kind}`) : /^https?:$/;
            for (const { protocol: scheme } of urls) expect(scheme).toMatch(wanted);
          } catch (error) {
            expect(isKennelError(error) ? error.code : error).toBe('source.unsupported');
          }
        }
      }
    }
  });
});

describe.skipIf(!tools.has('yt-dlp'))(`the resolver${lacking('yt-dlp')}`, () => {
  test('reads a page through the gate, and reaches the canary where that is allowed', async () => {
    const own = await canary();
    onTestFinished(() => own.close());
    site.pages.set('/open', page(`http://127.0.0.1:${own.port}/live.m3u8`));
    await resolved(`${site.url}/open`, [site.host, '127.0.0.1']);
    expect(own.connections).toBeGreaterThan(0);
  });

  test('does not follow a page to what it is not allowed to reach, and says so', async () => {
    const forms = listable();
    expect(forms.length).toBeGreaterThan(100);
    site.pages.set('/all', page(...forms));
    expect(await resolved(`${site.url}/all`)).toBe('address.refused');
  }, 60_000);

  test('does not follow redirects of playlists there', async () => {
    const behind = redirects(listable(), '.m3u8');
    site.pages.set('/behind', page(...behind));
    await resolved(`${site.url}/behind`);
    expect(site.asked.filter((path) => /^\/to\/\d+\.m3u8/.test(path)).length).toBeGreaterThan(60);
  }, 60_000);

  test.each(['http://127.0.0.1:PORT/', 'http://loopback.test:PORT/x'])(
    'does not follow the redirect of a page to %s',
    async (form) => {
      const location = form.replace('PORT', String(trap.port));
      site.pages.set('/moved', { location });
      expect(await resolved(`${site.url}/moved`)).toBe('address.refused');
    },
    60_000,
  );
});

const keyed = (forms: readonly string[]): string =>
  media(
    ...['#EXTINF:1,', `${site.url}/good.ts`],
    ...forms.flatMap((form, index) => [
      `#EXT-X-KEY:METHOD=AES-128,URI="${form}"`,
      ...['#EXTINF:1,', `${site.url}/good${index}.ts`],
    ]),
  );
const segmented = (forms: readonly string[]): string =>
  media(...['#EXTINF:1,', `${site.url}/good.ts`], ...forms.flatMap((form) => ['#EXTINF:1,', form]));
const mastered = (forms: readonly string[]): string =>
  lines(
    '#EXTM3U',
    ...forms.flatMap((form, index) => [
      // The first is the best, which yt-dlp takes.
      `#EXT-X-STREAM-INF:BANDWIDTH=${900_000 - index},RESOLUTION=640x360`,
      form,
    ]),
  );

describe.each(['ffmpeg', 'yt-dlp', 'streamlink'] as const)('%s', (name) => {
  const skipped = !tools.has(name);
  const play = async (path: string, reach?: string[]) =>
    await played(name, { kind: 'hls', url: new URL(`${site.url}${path}`) }, reach);

  test.skipIf(skipped)(
    `plays what it may reach, the canary too${lacking(name)}`,
    async () => {
      const own = await canary();
      onTestFinished(() => own.close());
      site.pages.set('/fine.m3u8', segmented([`http://127.0.0.1:${own.port}/x.ts`]));
      const { bytes } = await play('/fine.m3u8', [site.host, '127.0.0.1']);
      expect(bytes).toBeGreaterThan(0);
      expect(own.connections).toBeGreaterThan(0);
    },
    60_000,
  );

  test.skipIf(skipped).each([
    ['segments', segmented],
    ['keys', keyed],
    ['variants', mastered],
  ] as const)(
    `does not fetch hostile %s${lacking(name)}`,
    async (what, playlist) => {
      // ffmpeg refuses a playlist with a segment of another extension as a whole.
      const forms = listable().filter(
        (form) => what !== 'segments' || /^http:.*\/x\.ts$/.test(form),
      );
      expect(forms.length).toBeGreaterThan(60);
      site.pages.set(`/${what}.m3u8`, playlist(forms));
      const { refused, stderr } = await play(`/${what}.m3u8`);
      expect(refused.length, stderr.slice(-1_000)).toBeGreaterThan(0);
    },
    60_000,
  );

  test.skipIf(skipped)(
    `does not follow redirects there${lacking(name)}`,
    async () => {
      site.pages.set('/redirected.m3u8', segmented(redirects(listable(), '.ts')));
      const { refused, stderr } = await play('/redirected.m3u8');
      expect(refused.length, stderr.slice(-1_000)).toBeGreaterThan(0);
    },
    60_000,
  );

  test.skipIf(skipped).each(['http://0x7f.1', 'http://six.test'])(
    `is not let through to %s${lacking(name)}`,
    async (start) => {
      const url = new URL(`${start}:${trap.port}/live.m3u8`);
      const { refused, bytes } = await played(name, { kind: 'hls', url });
      expect([refused.length, bytes]).toEqual([1, 0]);
    },
    60_000,
  );

  test.skipIf(skipped)(
    `does not follow a name that leads elsewhere${lacking(name)}`,
    async () => {
      const own = net.createServer();
      let reached = 0;
      own.on('connection', (socket) => {
        reached++;
        socket.destroy();
      });
      // At the site's own port, but at the address that nobody has allowed.
      own.listen(site.port, '127.0.0.1');
      await once(own, 'listening');
      onTestFinished(() => void own.close());
      const good = `http://rebound.test:${site.port}/good`;
      const forms = Array.from({ length: 20 }, (_, index) => `${good}${index}.ts`);
      site.pages.set('/rebound.m3u8', segmented(forms));
      const before = rebounds;
      const { refused } = await play('/rebound.m3u8', ['127.0.0.2']);
      expect(refused).toEqual([`rebound.test:${site.port}`]);
      expect(rebounds - before).toBeGreaterThan(2);
      expect(reached).toBe(0);
    },
    60_000,
  );
});

test('nothing is left of the questions', () => {
  expect(readdirSync(join(directory, 'questions'))).toEqual([]);
});
