import type { Fault } from '../../support/origin/faults.ts';
import { FAULT_MS, type Scenario } from './scenario.ts';

const spoilt = (fault: Partial<Fault> & Pick<Fault, 'do'>, forMs = 3_000): Scenario['streams'] => ({
  main: { faults: [{ on: 'playlist', fromMs: FAULT_MS, forMs, ...fault } as Fault] },
});

/** Everything that can be wrong with the playlist while the segments are sound. */
export const PLAYLIST_SCENARIOS: readonly Scenario[] = [
  {
    name: 'no-fault',
    class: 'playlist',
    what: 'nothing goes wrong',
    short: true,
    streams: { main: {} },
  },
  {
    name: 'playlist-503',
    class: 'playlist',
    what: 'the playlist answers 503 for 4 s',
    short: true,
    streams: spoilt({ do: 'status', status: 503 }, 4_000),
  },
  {
    name: 'playlist-404',
    class: 'playlist',
    what: 'the playlist answers 404 for 4 s',
    streams: spoilt({ do: 'status', status: 404 }, 4_000),
  },
  {
    name: 'playlist-html',
    class: 'playlist',
    what: 'the playlist is an HTML page with status 200 for 3 s',
    streams: spoilt({ do: 'html' }),
  },
  {
    name: 'playlist-empty',
    class: 'playlist',
    what: 'the playlist is empty, with status 200, for 3 s',
    streams: spoilt({ do: 'empty' }),
  },
  {
    name: 'playlist-truncated',
    class: 'playlist',
    what: 'half of the playlist comes, then the connection dies, for 3 s',
    streams: spoilt({ do: 'truncated' }),
  },
  {
    name: 'playlist-halved',
    class: 'playlist',
    what: 'half of the playlist comes with an agreeing length, every second time, for 6 s',
    streams: {
      main: {
        faults: [0, 2_000, 4_000].map((later) => ({
          on: 'playlist' as const,
          do: 'halved' as const,
          fromMs: FAULT_MS + later,
          forMs: 1_000,
        })),
      },
    },
  },
  {
    name: 'playlist-hang',
    class: 'playlist',
    what: 'the playlist is not answered at all for 4 s',
    streams: spoilt({ do: 'hang' }, 4_000),
  },
  {
    name: 'playlist-slow',
    class: 'playlist',
    what: 'every playlist takes 2.5 s, for 10 s',
    streams: spoilt({ do: 'slow', delayMs: 2_500 }, 10_000),
  },
  {
    name: 'playlist-frozen',
    class: 'playlist',
    what: 'the playlist stands still for 5 s, the segments go on',
    streams: spoilt({ do: 'frozen' }, 5_000),
  },
  {
    name: 'stale-edge',
    class: 'playlist',
    what: 'every second playlist is two segments behind, all the time',
    streams: { main: { stale: { behind: 2 } } },
  },
];
