import type { EngineScript } from './engineScript.ts';

const CALM = {
  stream: [],
  dates: false,
  troubles: [],
  sick: [],
  disk: [],
  deaths: [],
  clockSteps: [],
  latencies: [100],
} as const;

/** Scripts that once broke a law, as they were shrunk. They stay here for good. */
export const ENGINE_REGRESSIONS: Readonly<Record<string, EngineScript>> = {
  'a recorder that was told to stop while it was dead looks once at what it missed': {
    ...CALM,
    window: 4,
    endsAt: 10,
    deaths: [{ atMs: 8_000, forMs: 10_000, kind: 'killed' }],
    stopAtMs: 14_000,
    latencies: [420],
  },
  'what a source lists that was not joined is placed before its ENDLIST ends anything': {
    ...CALM,
    window: 5,
    endsAt: 38,
    second: { offset: 0, sameNames: true, dual: false },
    troubles: [{ atMs: 36_000, forMs: 12_000, source: 0, kind: 'html' }],
    deaths: [{ atMs: 28_000, forMs: 12_000, kind: 'killed' }],
  },
  'one agreeing date joins a source when there is only one to compare with': {
    ...CALM,
    window: 5,
    endsAt: 5,
    second: { offset: 0, sameNames: false, dual: false },
    dates: true,
    troubles: [{ atMs: 500, forMs: 14_000, source: 0, kind: 'down' }],
    latencies: [502],
  },
  'what the first source marks as missing is had from another that was not heard yet': {
    ...CALM,
    window: 12,
    endsAt: 5,
    second: { offset: 0, sameNames: true, dual: true },
    sick: [{ source: 0, content: 0, times: 'always', how: 'marked' }],
  },
  'numbers that moved back by one while nobody lived are not a new beginning': {
    ...CALM,
    window: 9,
    endsAt: 5,
    stream: [{ kind: 'relabel', atMs: 11_000, by: -1 }],
    deaths: [{ atMs: 1_000, forMs: 12_000, kind: 'power' }],
  },
  'numbers that moved back beyond what is stored are not a new beginning': {
    ...CALM,
    window: 3,
    endsAt: 9,
    stream: [{ kind: 'relabel', atMs: 7_000, by: -7 }],
    deaths: [{ atMs: 8_000, forMs: 8_000, kind: 'power' }],
    latencies: [580],
  },
  'ENDLIST counts although the last playlist has other numbers': {
    ...CALM,
    window: 11,
    endsAt: 52,
    stream: [{ kind: 'relabel', atMs: 52_000, by: -40 }],
  },
  'the numbers of an epoch of which nothing is stored are those of the source that opened it': {
    ...CALM,
    window: 5,
    endsAt: 5,
    second: { offset: 7, sameNames: true, dual: true },
    troubles: [{ atMs: 500, forMs: 12_000, source: 0, kind: 'hang' }],
    deaths: [{ atMs: 4_000, forMs: 9_000, kind: 'power' }],
    latencies: [764],
  },
};
