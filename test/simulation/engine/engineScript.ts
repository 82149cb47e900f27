import fc from 'fast-check';

/** Every segment of the simulated stream lasts so long, and so does the target duration, milliseconds. */
export const SEGMENT_MS = 1_000;

interface Span {
  readonly atMs: number;
  readonly forMs: number;
}

/** What happens to the stream itself, seen by every source. */
export type StreamEvent =
  /** The encoder begins again at number 50, under new names or the old ones. */
  | { readonly kind: 'reset'; readonly atMs: number; readonly sameNames: boolean }
  /** All numbers move, the names stay. */
  | { readonly kind: 'relabel'; readonly atMs: number; readonly by: number };

/** What goes wrong at one source. */
export type SourceTrouble = Span & {
  readonly source: number;
  readonly kind:
    | 'down' // polls and fetches fail
    | 'hang' // no answer at all
    | 'stale' // every second playlist is some segments behind
    | 'html'; // a page instead of a playlist
};

/** One segment that a source cannot give. */
export interface Sickness {
  readonly source: number;
  /** Counted from the stream's start. */
  readonly content: number;
  /** How many answers go wrong; `always` is one that never comes. */
  readonly times: number | 'always';
  readonly how: 'status' | 'truncated' | 'marked' | 'hang';
}

export type DiskTrouble = Span & {
  /** `full`: nothing can be added. `failing`: every operation fails. `slow`: every operation takes so long. */
  readonly kind: 'full' | 'failing' | 'slow';
};

export interface Death extends Span {
  /** `killed`: what was written stays. `power`: what was not synced goes, and the last write may be torn. */
  readonly kind: 'killed' | 'power';
}

/** Everything that befalls one simulated recording. Plain data: it can be printed, shrunk and replayed. */
export interface EngineScript {
  /** Segments in the playlist. */
  readonly window: number;
  /** Segments until ENDLIST. */
  readonly endsAt: number;
  readonly stream: readonly StreamEvent[];
  /** The second source, if there is one. */
  readonly second?: {
    /** Its numbers are so much higher. */
    readonly offset: number;
    readonly sameNames: boolean;
    readonly dual: boolean;
  };
  /** EXT-X-PROGRAM-DATE-TIME. */
  readonly dates: boolean;
  readonly troubles: readonly SourceTrouble[];
  readonly sick: readonly Sickness[];
  readonly disk: readonly DiskTrouble[];
  readonly deaths: readonly Death[];
  /** Steps of the wall clock. */
  readonly clockSteps: readonly { readonly atMs: number; readonly byMs: number }[];
  readonly stopAtMs?: number;
  /** Latencies of successive requests and disk operations, milliseconds. */
  readonly latencies: readonly number[];
}

const atMs = fc.integer({ min: 500, max: 55_000 });
const span = (max: number) => ({ atMs, forMs: fc.integer({ min: 50, max }) });
const source = fc.integer({ min: 0, max: 1 });
const few = <Item>(item: fc.Arbitrary<Item>, maxLength = 2): fc.Arbitrary<Item[]> =>
  fc.array(item, { maxLength, size: 'max' });
/** Most recordings are spared most kinds of trouble: faults must also be met alone. */
const seldom = <Item>(item: fc.Arbitrary<Item[]>): fc.Arbitrary<Item[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant<Item[]>([]) }, { weight: 1, arbitrary: item });

const stream: fc.Arbitrary<StreamEvent> = fc.oneof(
  fc.record({ kind: fc.constant('reset' as const), atMs, sameNames: fc.boolean() }),
  fc.record({
    kind: fc.constant('relabel' as const),
    atMs,
    by: fc.constantFrom(-40, -7, -1, 1, 3, 25, 400),
  }),
);

export const engineScripts: fc.Arbitrary<EngineScript> = fc.record(
  {
    window: fc.integer({ min: 3, max: 12 }),
    endsAt: fc.integer({ min: 5, max: 60 }),
    stream: seldom(few(stream, 1)),
    second: fc.record({
      offset: fc.constantFrom(0, 0, 7, 1_000, 90_000),
      sameNames: fc.boolean(),
      dual: fc.boolean(),
    }),
    dates: fc.boolean(),
    troubles: seldom(
      few(
        fc.record({
          ...span(15_000),
          source,
          kind: fc.constantFrom('down', 'down', 'hang', 'stale', 'html') as fc.Arbitrary<
            SourceTrouble['kind']
          >,
        }),
      ),
    ),
    sick: seldom(
      few(
        fc.record({
          source,
          content: fc.integer({ min: 0, max: 60 }),
          times: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant('always' as const)),
          how: fc.constantFrom('status', 'truncated', 'marked', 'hang') as fc.Arbitrary<
            Sickness['how']
          >,
        }),
      ),
    ),
    disk: seldom(
      few(
        fc.record({
          ...span(12_000),
          kind: fc.constantFrom('full', 'failing', 'slow') as fc.Arbitrary<DiskTrouble['kind']>,
        }),
        1,
      ),
    ),
    deaths: seldom(
      few(
        fc.record({
          ...span(12_000),
          kind: fc.constantFrom('killed', 'power') as fc.Arbitrary<Death['kind']>,
        }),
      ),
    ),
    clockSteps: seldom(
      few(fc.record({ atMs, byMs: fc.constantFrom(-3_600_000, -1_000, 1_000, 3_600_000) }), 1),
    ),
    stopAtMs: fc.integer({ min: 1_000, max: 50_000 }),
    latencies: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 12 }),
  },
  {
    requiredKeys: [
      'window',
      'endsAt',
      'stream',
      'dates',
      'troubles',
      'sick',
      'disk',
      'deaths',
      'clockSteps',
      'latencies',
    ],
  },
);
