import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RecorderExit } from '../../machines/ports.ts';
import { systemClock } from '../../src/core/clock.ts';
import { isKennelError } from '../../src/core/errors.ts';
import { type AddressRules, addressRules } from '../../src/egress/addressRules.ts';
import { reachOfLinks } from '../../src/egress/reachOfLinks.ts';
import { nativeRecorder } from '../../src/hls/nativeRecorder.ts';
import { parsePlaylist } from '../../src/hls/playlist/parsePlaylist.ts';
import { hybridTransport } from '../../src/hls/transport/hybridTransport.ts';
import type { Transport } from '../../src/hls/transport/transport.ts';
import { readJournal } from '../../src/ledger/journal.ts';
import {
  type Canary,
  canary,
  hostileHosts,
  hostileLookup,
  hostileUrls,
} from '../fixtures/hostileUrls.ts';
import { authorizationOf, gateSetup } from '../unit/egress/gateSetup.ts';
import { type Answer, tsSegment } from '../unit/hls/streamRecorderOrigin.ts';
import { fasterBy, originFor } from '../unit/hls/streamRecorderSetup.ts';

let trap: Canary;
beforeAll(async () => {
  trap = await canary();
});
afterAll(() => trap.close());
afterEach(() => expect(trap.connections).toBe(0));

/** Why a hostile link led nowhere. A time-out or a refused connection would mean that somebody was asked. */
const HARMLESS = new Set(['address.refused', 'url.invalid', 'name.unknown', 'link.invalid']);

const codeOf = (error: unknown): string => {
  if (!isKennelError(error)) return String(error);
  return error.details['system'] === 'ENOTFOUND' ? 'name.unknown' : error.code;
};

function guarded(rules: AddressRules): Transport {
  const transport = hybridTransport({ rules, lookup: hostileLookup });
  onTestFinished(() => transport.close());
  return transport;
}

async function fetched(transport: Transport, url: URL, proxy?: URL): Promise<string> {
  try {
    const { status } = await transport.get({
      url,
      signal: new AbortController().signal,
      bodyBytesMax: 1_000,
      idleTimeoutMs: 5_000,
      onData: () => undefined,
      ...(proxy === undefined ? {} : { proxy }),
    });
    return `status ${status}`;
  } catch (error) {
    return codeOf(error);
  }
}

/** How many came to which end; fails for ends that are not harmless. */
async function ends(
  forms: readonly string[],
  end: (form: string) => Promise<string>,
): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  const harmful: string[] = [];
  for (const form of forms) {
    const found = await end(form);
    count[found] = (count[found] ?? 0) + 1;
    if (!HARMLESS.has(found)) harmful.push(`${form}: ${found}`);
  }
  expect(harmful).toEqual([]);
  return count;
}

/** Records what an origin has; only that origin may be reached. */
async function recorded(answer: (requested: string) => Answer | undefined, patienceMs = 20_000) {
  const origin = await originFor(answer);
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-hostile-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const url = `${origin.url}/live.m3u8`;
  const { exited } = nativeRecorder(guarded(addressRules(reachOfLinks([url]))))({
    job: {
      id: 'job-1',
      attempt: 1,
      spec: {
        url,
        quality: ['best'],
        waitMs: 60_000,
        patienceMs,
        output: '/nowhere/',
        keepSegments: true,
      },
    },
    directory,
    clock: fasterBy(10),
    random: () => 0.5,
    onStarted: () => undefined,
    log: () => undefined,
  });
  const exit = await exited;
  const { records } = await readJournal(directory);
  return { exit, records };
}

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;
const media = (...text: readonly string[]): string =>
  lines('#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:1', ...text, '#EXT-X-ENDLIST');

/** Lines and attributes of a playlist can hold these. */
const listable = () => hostileUrls(trap.port).filter((form) => !/["\t\n]/.test(form));

/** Those that make no playlist useless: with what is no http link it is refused as a whole. */
const readable = (playlist: (form: string) => string): string[] =>
  listable().filter((form) => {
    try {
      parsePlaylist(playlist(form), new URL('http://good.example/'));
      return true;
    } catch (error) {
      expect(codeOf(error)).toBe('playlist.invalid');
      return false;
    }
  });

/** A recording of a playlist with all of them: everything is lost but the first segment, and each loss says why. */
async function lost(text: string, forms: number): Promise<void> {
  const { records, exit } = await recorded((requested) => {
    if (requested === '/live.m3u8') return text;
    return requested.startsWith('/good') ? tsSegment(1) : undefined;
  });
  expect(exit).toMatchObject({ kind: 'ended' });
  const gaps = records.filter((record) => record.t === 'gap');
  const stored = records.filter((record) => record.t === 'segment');
  expect(stored).toHaveLength(1);
  expect(gaps.reduce((sum, { count }) => sum + count, 0)).toBe(forms);
  const refused = gaps.filter(({ detail }) => detail.includes('is no public address'));
  expect(refused.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(60);
}

test('there are enough of them, and the canary can be reached where nobody forbids it', async () => {
  expect(new Set(hostileUrls(1)).size).toBeGreaterThanOrEqual(60);
  const open = await canary();
  onTestFinished(() => open.close());
  const transport = hybridTransport({ lookup: hostileLookup });
  onTestFinished(() => transport.close());
  for (const host of ['2130706433', 'loopback.test', '①②⑦.⓪.⓪.①', '0', 'many.test']) {
    if (host === 'many.test') continue; // Its other addresses are other machines.
    expect(await fetched(transport, new URL(`http://${host}:${open.port}/`))).toBe('status 200');
  }
  expect(open.connections).toBe(4);
});

describe('hostile links', () => {
  test('are not fetched', async () => {
    const transport = guarded(addressRules([]));
    const count = await ends(hostileUrls(trap.port), async (form) => {
      const url = URL.parse(form);
      return url === null ? 'link.invalid' : await fetched(transport, url);
    });
    expect(count['address.refused']).toBeGreaterThanOrEqual(90);
  });

  test('are not asked of a proxy when they name an address', async () => {
    const asked: string[] = [];
    const origin = await originFor((requested) => {
      asked.push(requested);
      return { status: 502 };
    });
    const transport = guarded(addressRules([]));
    for (const form of hostileUrls(trap.port)) {
      const url = URL.parse(form);
      if (url !== null) await fetched(transport, url, new URL(origin.url));
    }
    // Names are for the proxy to resolve, and to refuse.
    expect(
      asked.filter((link) => net.isIP(new URL(link).hostname.replace(/[[\]]/g, '')) !== 0),
    ).toEqual([]);
  });

  test('are not followed as redirects', async () => {
    let location = '';
    const origin = await originFor(() => ({ status: 302, headers: { location } }));
    const transport = guarded(addressRules(reachOfLinks([origin.url])));
    const encoded = (form: string) =>
      Buffer.from(form.replace(/[\t\n]/g, ''), 'utf8').toString('latin1');
    const count = await ends(hostileUrls(trap.port), async (form) => {
      location = encoded(form);
      const code = await fetched(transport, new URL(origin.url));
      // `it redirects to something that is no http or https link`, or back to where it came from.
      return code === 'source.unavailable' ? 'link.invalid' : code;
    });
    expect(count['address.refused']).toBeGreaterThanOrEqual(90);
  });

  test('are not fetched as segments: each is a gap that says so', async () => {
    const forms = listable().filter(
      (form) => form.trim() === form && URL.canParse(form, 'http://x/'),
    );
    await lost(
      media('#EXTINF:1,', 'good.ts', ...forms.flatMap((form) => ['#EXTINF:1,', form])),
      forms.length,
    );
  });

  test('are not fetched as keys', async () => {
    const keyed = (form: string, index: number) => [
      `#EXT-X-KEY:METHOD=AES-128,URI="${form}"`,
      ...['#EXTINF:1,', `good${index}.ts`],
    ];
    const forms = readable((form) => media(...keyed(form, 0)));
    await lost(media('#EXTINF:1,', 'good.ts', ...forms.flatMap(keyed)), forms.length);
  });

  test('are not fetched as initialisation sections', async () => {
    const mapped = (form: string, index: number) => [
      '#EXT-X-DISCONTINUITY',
      `#EXT-X-MAP:URI="${form}"`,
      ...['#EXTINF:1,', `good${index}.ts`],
    ];
    const forms = readable((form) => media(...mapped(form, 0)));
    await lost(media('#EXTINF:1,', 'good.ts', ...forms.flatMap(mapped)), forms.length);
  });

  test('are not recorded as variants, and end the recording at once', async () => {
    const exits = new Map<string, RecorderExit>();
    // Side by side: some are names that nobody knows, and those are waited for.
    const recordings = listable().map(async (form) => {
      const master = lines('#EXTM3U', '#EXT-X-STREAM-INF:BANDWIDTH=1000000', form);
      exits.set(form, (await recorded(() => master)).exit);
    });
    await Promise.all(recordings);
    const refused = [...exits.values()].filter(({ why }) => why === 'address.refused');
    expect(refused.length).toBeGreaterThanOrEqual(90);
    for (const exit of refused) expect(exit).toMatchObject({ kind: 'failed', retryable: false });
    expect([...exits.values()].filter(({ kind }) => kind !== 'failed')).toEqual([]);
  });

  test('do not pass the egress gate', async () => {
    const { pass } = await gateSetup({ rules: addressRules([]) }, { lookup: hostileLookup });
    const { hostname, port } = new URL(pass.proxyUrl);
    const credentials = `proxy-authorization: ${authorizationOf(pass.proxyUrl)}\r\n`;
    const status = (requestLine: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = net.connect(Number(port), hostname);
        let text = '';
        socket.on('data', (bytes) => {
          text += bytes.toString('latin1');
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)));
        socket.write(
          `${requestLine} HTTP/1.1\r\nhost: x\r\n${credentials}connection: close\r\n\r\n`,
        );
      });
    const answers: Record<string, number> = {};
    const harmful: string[] = [];
    const targets = [
      ...hostileUrls(trap.port).map((form) => `GET ${form}`),
      ...hostileUrls(trap.port).map((form) => `GET ${URL.parse(form)?.href ?? form}`),
      ...hostileHosts().map((host) => `CONNECT ${host}:${trap.port}`),
      ...hostileUrls(trap.port).map((form) => `CONNECT ${form}`),
    ];
    for (const target of targets) {
      const answered = await status(target);
      answers[answered] = (answers[answered] ?? 0) + 1;
      if (![400, 403, 502].includes(answered)) harmful.push(`${target}: ${answered}`);
    }
    expect(harmful).toEqual([]);
    expect(answers[403]).toBeGreaterThanOrEqual(200);
  });

  test('are not relayed', async () => {
    const { pass } = await gateSetup({ rules: addressRules([]) }, { lookup: hostileLookup });
    for (const protocol of ['tcp', 'udp'] as const) {
      const count = await ends(hostileHosts(), async (host) => {
        try {
          const relay = await pass.relay({ protocol, host, port: trap.port });
          const socket = net.connect(relay.port, relay.host);
          return await new Promise<string>((resolve) => {
            socket.on('error', () => undefined);
            socket.on('data', () => resolve('relayed'));
            socket.on('close', () => resolve('name.unknown'));
          });
        } catch (error) {
          const code = codeOf(error);
          return code === 'source.unavailable' ? 'name.unknown' : code;
        }
      });
      expect(count['address.refused']).toBeGreaterThanOrEqual(60);
    }
  });
});

test('a name that leads elsewhere the second time is refused by the transport and by the gate', async () => {
  const inner = await canary();
  onTestFinished(() => inner.close());
  for (const first of ['permitted', 'refused'] as const) {
    let asked = 0;
    const lookup: net.LookupFunction = (_host, options, callback) => {
      const isFirst = asked++ % 2 === 0;
      // 192.0.2.1 is nobody's: the rules permit it here, and connecting there is not waited for.
      const address = isFirst === (first === 'permitted') ? '192.0.2.1' : '127.0.0.1';
      if (options.all === true) callback(null, [{ address, family: 4 }]);
      else callback(null, address, 4);
    };
    const rules = addressRules(['192.0.2.1']);
    const transport = hybridTransport({ rules, lookup, clock: fasterBy(50) });
    onTestFinished(() => transport.close());
    const { pass } = await gateSetup(
      { rules },
      { lookup, clock: { ...systemClock, ...fasterBy(200) } },
    );
    for (let request = 0; request < 4; request++) {
      const code = await fetched(transport, new URL(`http://rebound.test:${inner.port}/`));
      const isPermitted = (request % 2 === 0) === (first === 'permitted');
      expect(code === 'address.refused').toBe(!isPermitted);
    }
    for (let request = 0; request < 4; request++) {
      const answered = await new Promise<string>((resolve) => {
        const { hostname, port } = new URL(pass.proxyUrl);
        const socket = net.connect(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.once('data', (bytes) => {
          resolve(bytes.toString('latin1', 9, 12));
          socket.destroy();
        });
        socket.write(
          `CONNECT rebound.test:${inner.port} HTTP/1.1\r\nproxy-authorization: ${authorizationOf(pass.proxyUrl)}\r\n\r\n`,
        );
      });
      const isPermitted = (request % 2 === 0) === (first === 'permitted');
      expect(answered === '403').toBe(!isPermitted);
    }
    expect(inner.connections).toBe(0);
  }
});
