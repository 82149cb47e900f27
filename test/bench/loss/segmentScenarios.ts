import type { Fault } from '../../support/origin/faults.ts';
import { HIT, type Scenario } from './scenario.ts';

type Spoilt = Omit<Partial<Extract<Fault, { on: 'segment' }>>, 'on'> & Pick<Fault, 'do'>;

const one = (fault: Spoilt): Scenario['streams'] => ({
  main: { faults: [{ on: 'segment', index: HIT, ...fault } as Fault] },
});

/** Everything that can be wrong with a segment while the playlist is sound. */
export const SEGMENT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'segment-404-twice',
    class: 'segment',
    what: 'a segment answers 404 twice',
    short: true,
    streams: one({ do: 'status', status: 404, times: 2 }),
  },
  {
    name: 'segment-500-five-times',
    class: 'segment',
    what: 'a segment answers 500 five times',
    streams: one({ do: 'status', status: 500, times: 5 }),
  },
  {
    name: 'segment-404-for-ever',
    class: 'segment',
    what: 'a segment is never there',
    short: true,
    streams: one({ do: 'status', status: 404 }),
    causes: /^http\.404$/,
  },
  {
    name: 'segment-marked',
    class: 'segment',
    what: 'a segment is marked EXT-X-GAP',
    streams: { main: { gaps: [HIT] } },
    causes: /^marked$/,
  },
  {
    name: 'segment-truncated',
    class: 'segment',
    what: 'half of each of three segments comes, against its length, once',
    short: true,
    streams: one({ do: 'truncated', times: 1, count: 3 }),
  },
  {
    name: 'segment-cut',
    class: 'segment',
    what: 'half of each of three segments comes in chunks, without the last one, once',
    streams: one({ do: 'cut', times: 1, count: 3 }),
  },
  {
    name: 'segment-reset',
    class: 'segment',
    what: 'the connection is reset in the middle of each of three segments, once',
    streams: one({ do: 'reset', times: 1, count: 3 }),
  },
  {
    name: 'segment-halved',
    class: 'segment',
    what: 'half of a segment comes with a length that agrees, once',
    streams: one({ do: 'halved', times: 1 }),
  },
  {
    name: 'segment-longer',
    class: 'segment',
    what: 'a segment is shorter than Content-Length says, once',
    streams: one({ do: 'longer', times: 1 }),
  },
  {
    name: 'segment-shorter',
    class: 'segment',
    what: 'a segment is longer than Content-Length says, once',
    streams: one({ do: 'shorter', times: 1 }),
  },
  {
    name: 'segment-stall',
    class: 'segment',
    what: 'a segment stalls half way for 25 s, once',
    streams: one({ do: 'stall', delayMs: 25_000, times: 1 }),
  },
  {
    name: 'segment-slow',
    class: 'segment',
    what: 'a segment takes 7 s, trickling in',
    streams: one({ do: 'drip', delayMs: 7_000 }),
  },
  {
    name: 'segment-hang',
    class: 'segment',
    what: 'a segment is not answered at all, twice',
    streams: one({ do: 'hang', times: 2 }),
  },
  {
    name: 'segment-html',
    class: 'segment',
    what: 'a segment is an HTML page with status 200, once',
    streams: one({ do: 'html', times: 1 }),
  },
  {
    name: 'segment-empty',
    class: 'segment',
    what: 'a segment is empty, with status 200, once',
    streams: one({ do: 'empty', times: 1 }),
  },
  {
    name: 'segment-206',
    class: 'segment',
    what: 'five segments are answered with 206 although nobody asked for a range',
    streams: one({ do: 'partial', count: 5 }),
  },
];
