import { expect, test } from 'vitest';
import type { Soaked, Station } from '../bench/soak/perform.ts';
import { planOf } from '../bench/soak/plan.ts';
import type { Sample } from '../bench/soak/samples.ts';
import { verdictsOf } from '../bench/soak/verdicts.ts';

const MEGABYTE = 1024 ** 2;
const plan = planOf({ streams: 20, minutes: 60, rate: 12, seed: 1 });

interface World {
  /** Megabytes per stream and hour of media. */
  readonly growth?: number;
  readonly descriptorsLeft?: number;
  readonly timersLeft?: number;
  readonly needless?: readonly string[];
}

/** A soak of an hour in which memory goes up and down by 40 MB within some seconds, and perhaps something is left. */
function soaked({ growth = 0, descriptorsLeft = 0, timersLeft = 0, needless = [] }: World): Soaked {
  const bytesAt = (atMs: number): number => {
    const hours = (atMs * plan.rate) / 3_600_000;
    return (150 + ((atMs / 1_000) % 7) * 6 + growth * plan.streams * hours) * MEGABYTE;
  };
  const samples: Sample[] = [];
  for (let atMs = 0; atMs < plan.lengthMs; atMs += 500) {
    for (const role of ['supervisor', 'host'] as const) {
      const pid = role === 'host' ? 2 : 1;
      samples.push({ atMs, pid, role, rssBytes: bytesAt(atMs), descriptors: 60 });
    }
  }
  const station = (when: Station['when'], left: number, timers: number): Station[] =>
    (['supervisor', 'host'] as const).map((role) => ({
      when,
      atMs: 0,
      role,
      pid: role === 'host' ? 2 : 1,
      descriptors: 30 + left,
      rssBytes: 0,
      inside: { heapBytes: 0, resources: { Timeout: 3 + timers } },
    }));
  const stations = [
    ...station('before', 0, 0),
    ...station('afterwards', descriptorsLeft, timersLeft),
  ];
  const account = { show: 'a', advertised: 9, stored: 9, lost: 0, attempts: 1, flaws: [] };
  const weather = { counts: new Map(), unavoidable: new Map() };
  return { samples, stations, accounts: [{ ...account, needless }], weather, tookMs: 1 };
}

const missed = (world: World): string[] =>
  verdictsOf(plan, soaked(world))
    .filter(({ isMet }) => !isMet)
    .map(({ text }) => text);

test('memory that goes up and down is no growth', () => {
  expect(missed({})).toEqual([]);
  expect(missed({ growth: 0.2 })).toEqual([]);
});

test('two megabytes for each stream and hour are told, whatever the saw does', () => {
  expect(missed({ growth: 2 })).toEqual([
    expect.stringMatching(/^resident memory of the supervisor .*: [12]\.\d+ ±/),
    expect.stringMatching(/^resident memory of the host .*: [12]\.\d+ ±/),
  ]);
});

test('descriptors, timers and segments that are missing at the end are told', () => {
  expect(missed({ descriptorsLeft: 20 })).toHaveLength(2);
  expect(missed({ timersLeft: 20 })).toHaveLength(2);
  expect(missed({ needless: ['7 network'] })).toEqual([expect.stringContaining('a 7 network')]);
});
