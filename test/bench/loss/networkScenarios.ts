import type { DoorTrouble } from '../../support/origin/door.ts';
import { FAULT_MS, type Scenario, SEGMENTS } from './scenario.ts';

const ADDRESS: readonly Scenario[] = [
  {
    name: 'variants',
    class: 'address',
    what: 'a master playlist offers two variants, the lesser one without picture',
    streams: { main: {}, low: { set: 'ts-audio' } },
    master: { variants: [{ stream: 'low' }, { stream: 'main' }] },
  },
  {
    name: 'redirects',
    class: 'address',
    what: 'every address redirects three times',
    streams: { main: { redirect: 3 } },
  },
  {
    name: 'segment-tokens',
    class: 'address',
    what: 'tokens of segment addresses change every 3 s and are good for 5 s',
    streams: { main: { tokens: { rotateMs: 3_000, validMs: 5_000 } } },
  },
  {
    name: 'playlist-tokens',
    class: 'address',
    what: 'the address of the playlist expires after 10 s; the master mints a fresh one',
    short: true,
    streams: { main: { passes: { validMs: 10_000 } } },
    master: { variants: [{ stream: 'main' }] },
  },
  {
    name: 'cookies',
    class: 'address',
    what: 'the playlist sets a cookie, and segments demand it',
    streams: { main: { cookies: true } },
  },
  {
    name: 'gzip',
    class: 'address',
    what: 'playlists come with gzip',
    streams: { main: { gzip: true } },
  },
  {
    name: 'brotli',
    class: 'address',
    what: 'playlists come with Brotli to those who accept it',
    streams: { main: { brotli: true } },
  },
  {
    name: 'gzip-unasked',
    class: 'address',
    what: 'playlists come with gzip, asked for or not',
    streams: { main: { gzip: true, encodesUnasked: true } },
  },
];

const troubled = (
  what: DoorTrouble['do'],
  forMs: number,
  tls = false,
): Pick<Scenario, 'door' | 'streams'> => ({
  streams: { main: {} },
  door: { tls, troubles: [{ do: what, fromMs: FAULT_MS, forMs }] },
});

const CONNECTION: readonly Scenario[] = [
  {
    name: 'down-3s',
    class: 'connection',
    what: 'the origin refuses connections for 3 s',
    ...troubled('refuse', 3_000),
  },
  {
    name: 'down-12s',
    class: 'connection',
    what: 'the origin refuses connections for 12 s, twice its window',
    short: true,
    ...troubled('refuse', 12_000),
    causes: /^window\.slid$|^network$|^timeout$/,
  },
  {
    name: 'silent-4s',
    class: 'connection',
    what: 'the origin accepts connections and never answers, for 4 s',
    short: true,
    ...troubled('silent', 4_000),
  },
  {
    name: 'resets-3s',
    class: 'connection',
    what: 'the origin resets every connection for 3 s',
    ...troubled('reset', 3_000),
  },
  {
    name: 'name-unresolved',
    class: 'connection',
    what: 'the name of the origin cannot be resolved for 3 s',
    ...troubled('unresolved', 3_000),
    unresolved: { fromMs: FAULT_MS, forMs: 3_000 },
  },
  {
    name: 'tls',
    class: 'connection',
    what: 'the origin speaks TLS',
    streams: { main: {} },
    door: { tls: true },
  },
  {
    name: 'tls-handshake',
    class: 'connection',
    what: 'TLS handshakes fail for 3 s',
    ...troubled('handshake', 3_000, true),
  },
];

/** The other site names and numbers the same media in its own way. */
const otherSite = { startSequence: 1_000, names: 'sequence' } as const;
const deadFrom = (fromMs: number): DoorTrouble[] => [{ do: 'refuse', fromMs, forMs: 600_000 }];

const SOURCE: readonly Scenario[] = [
  {
    name: 'killed',
    class: 'source',
    what: 'the recorder is killed with SIGKILL, and started again 8 s later',
    short: true,
    streams: { main: { window: 40, prefill: 6, endAfter: SEGMENTS + 6 } },
    kill: { atMs: FAULT_MS, againAfterMs: 8_000 },
  },
  {
    name: 'failover',
    class: 'source',
    what: 'the first link dies for good; a second one shows the same media under other numbers',
    streams: { main: {}, other: otherSite },
    door: { troubles: deadFrom(FAULT_MS) },
    fallback: { stream: 'other', dual: false },
  },
  {
    name: 'dual',
    class: 'source',
    what: 'both links are recorded at once, and each lacks other segments',
    streams: {
      main: { faults: [{ on: 'segment', index: 18, count: 3, do: 'status', status: 404 }] },
      other: {
        ...otherSite,
        faults: [{ on: 'segment', index: 25, count: 3, do: 'status', status: 404 }],
      },
    },
    fallback: { stream: 'other', dual: true },
  },
];

/** How the stream is reached, and from where. */
export const NETWORK_SCENARIOS: readonly Scenario[] = [...ADDRESS, ...CONNECTION, ...SOURCE];
