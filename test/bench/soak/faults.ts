import type { Fault } from '../../support/origin/faults.ts';

type Kind = Fault['do'];

/*
 * Everything that an origin can do wrong to a recorder which may still have all segments: every fault ends long before a
 * segment has left its address. `halved` segments are left out: half of the packets, with a length that agrees, are a sound
 * segment to everybody who does not know the whole one.
 */
const PLAYLIST: readonly Kind[] = [
  ...(['status', 'html', 'empty', 'truncated', 'cut', 'halved', 'stall', 'drip'] as const),
  ...(['slow', 'hang', 'reset', 'longer', 'shorter', 'partial', 'frozen'] as const),
];
const SEGMENT = PLAYLIST.filter((kind) => kind !== 'frozen' && kind !== 'halved');
const PART: readonly Kind[] = ['status', 'html', 'empty', 'truncated', 'cut', 'slow', 'reset'];
const STATUSES = [403, 404, 429, 500, 503];

/** How long a fault of playlists lasts at most, and an answer is delayed, milliseconds of real time. */
const LASTS_MS_MAX = 2_000;
const DELAY_MS_MAX = 1_500;
const TIMES_MAX = 3;
const NEIGHBOURS_MAX = 4;
/** One fault of a segment in so many is for ever: those segments are really lost, and have to be named. */
const FOR_EVER_SHARE = 0.08;

export interface DrawnFault {
  readonly fault: Fault;
  /** Indexes of segments that nobody can have because of it. */
  readonly unavoidable: readonly number[];
}

interface Dice {
  random(): number;
  pick<Value>(of: readonly [Value, ...Value[]] | readonly Value[]): Value;
  upTo(most: number): number;
}

export function diceOf(random: () => number): Dice {
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  return {
    random,
    upTo,
    pick: (of) => {
      const one = of[Math.floor(random() * of.length)];
      if (one === undefined) throw new Error('nothing to choose from');
      return one;
    },
  };
}

/** @param head the newest segment: what a fault of segments hits appears after it */
export function drawFault(dice: Dice, head: number): DrawnFault {
  const { random, pick, upTo } = dice;
  const status = pick(STATUSES);
  const delayMs = 100 + Math.round(random() * DELAY_MS_MAX);
  const on = pick(['playlist', 'segment', 'segment', 'init', 'key'] as const);
  if (on === 'playlist') {
    const forMs = 200 + Math.round(random() * LASTS_MS_MAX);
    // A playlist that is gone is an end of the stream to some, so it is a server error here.
    const fault = { on, do: pick(PLAYLIST) as 'status', status: 503, delayMs, forMs } as const;
    return { fault, unavoidable: [] };
  }
  if (on !== 'segment') {
    return {
      fault: { on, do: pick(PART) as 'status', status, delayMs, times: upTo(TIMES_MAX) },
      unavoidable: [],
    };
  }
  const [index, count] = [head + upTo(NEIGHBOURS_MAX), upTo(NEIGHBOURS_MAX)];
  if (random() < FOR_EVER_SHARE) {
    const fault = { on, do: 'status', status: 404, index, count } as const;
    return { fault, unavoidable: Array.from({ length: count }, (_, step) => index + step) };
  }
  const times = upTo(TIMES_MAX);
  const fault = {
    on,
    do: pick(SEGMENT) as 'status',
    status,
    delayMs,
    index,
    count,
    times,
  } as const;
  return { fault, unavoidable: [] };
}
