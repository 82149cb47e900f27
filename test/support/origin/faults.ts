import { z } from 'zod';

/**
 * What can go wrong with one answer. `status`: another status code. `html`: an HTML page with status 200. `empty`: status
 * 200 without a body. `truncated`: half of the body, then the connection dies, against its Content-Length. `cut`: the same
 * in chunked coding, without the last chunk. `halved`: half of the body with a length that agrees, which HTTP cannot tell.
 * `stall`: half of the body, the rest after `delayMs`. `drip`: the body in small pieces over `delayMs`. `slow`: the answer
 * begins after `delayMs`. `hang`: no answer at all. `reset`: half of the body, then the connection is reset. `longer`: the whole
 * body, of which Content-Length says that it is longer, then the connection ends. `shorter`: Content-Length says less, and the
 * rest of the body follows all the same. `partial`: 206 with the whole body, although nobody asked for a range.
 */
export const TWISTS = [
  'status',
  'html',
  'empty',
  'truncated',
  'cut',
  'halved',
  'stall',
  'drip',
  'slow',
  'hang',
  'reset',
  'longer',
  'shorter',
  'partial',
] as const;

const common = {
  /** For `status`. */
  status: z.number().int().min(300).max(599).default(503),
  /** For `stall`, `drip` and `slow`, milliseconds of real time. */
  delayMs: z.number().min(0).default(1_000),
  /** How many answers it spoils; without it every one. */
  times: z.number().int().positive().optional(),
  /** When it begins, milliseconds after the stream's start. Default: at once. */
  fromMs: z.number().optional(),
  /** How long it lasts, milliseconds. Default: until healed. */
  forMs: z.number().positive().optional(),
};

export const Fault = z.discriminatedUnion('on', [
  z.object({
    on: z.literal('playlist'),
    /** `frozen`: the playlist stays as it was at the fault's beginning, while the segments go on. */
    do: z.enum([...TWISTS, 'frozen']),
    ...common,
  }),
  z.object({
    on: z.literal('segment'),
    /** Index of the first segment it hits. Without it every segment. */
    index: z.number().int().min(0).optional(),
    /** How many neighbours it hits; `times` counts for each of them. */
    count: z.number().int().positive().default(1),
    do: z.enum(TWISTS),
    ...common,
  }),
  z.object({ on: z.literal('init'), do: z.enum(TWISTS), ...common }),
  z.object({ on: z.literal('key'), do: z.enum(TWISTS), ...common }),
]);
export type Fault = z.input<typeof Fault>;
type Resolved = z.output<typeof Fault>;

/** One answer gone wrong. */
export interface Twist {
  readonly do: (typeof TWISTS)[number];
  readonly status: number;
  readonly delayMs: number;
}

/** Twists after which the client has the whole body as it was meant, if it waits. */
const SOUND: readonly string[] = ['slow', 'stall', 'drip', 'partial'];

export const isSound = (twist: Pick<Twist, 'do'> | undefined): boolean =>
  twist === undefined || SOUND.includes(twist.do);

interface Posted {
  readonly fault: Resolved;
  readonly fromMs: number;
  /** Answers spoilt so far, by segment index (−1 for what is no segment). */
  readonly spoilt: Map<number, number>;
}

/** The faults in force. The first that fits an answer spoils it. */
export class FaultBoard {
  readonly #posted: Posted[] = [];

  /** @param elapsedMs Now, in milliseconds after the stream's start. */
  post(fault: Fault, elapsedMs: number): void {
    const resolved = Fault.parse(fault);
    this.#posted.push({
      fault: resolved,
      fromMs: resolved.fromMs ?? elapsedMs,
      spoilt: new Map(),
    });
  }

  /** Everything answers well again, at once. */
  heal(): void {
    this.#posted.length = 0;
  }

  /** When the playlist stopped changing, milliseconds after the start; undefined while it does not stand still. */
  frozenSince(elapsedMs: number): number | undefined {
    const frozen = this.#active(elapsedMs).filter(({ fault }) => fault.do === 'frozen');
    return frozen.length === 0 ? undefined : Math.min(...frozen.map(({ fromMs }) => fromMs));
  }

  /** The fault that spoils this answer, if one does; counts it. */
  twist(on: Fault['on'], elapsedMs: number, index = -1): Twist | undefined {
    for (const { fault, spoilt } of this.#active(elapsedMs)) {
      if (fault.on !== on || fault.do === 'frozen' || !hits(fault, index)) continue;
      const before = spoilt.get(index) ?? 0;
      if (fault.times !== undefined && before >= fault.times) continue;
      spoilt.set(index, before + 1);
      return { do: fault.do, status: fault.status, delayMs: fault.delayMs };
    }
    return undefined;
  }

  /** Whether no request at that moment gets what it asks for, however often it is repeated. Counts nothing. */
  blocks(on: Fault['on'], elapsedMs: number, index = -1): boolean {
    return this.#active(elapsedMs).some(
      ({ fault }) =>
        fault.on === on &&
        fault.do !== 'frozen' &&
        fault.times === undefined &&
        !isSound({ do: fault.do }) &&
        hits(fault, index),
    );
  }

  #active(elapsedMs: number): Posted[] {
    return this.#posted.filter(
      ({ fault: { forMs = Number.POSITIVE_INFINITY }, fromMs }) =>
        elapsedMs >= fromMs && elapsedMs < fromMs + forMs,
    );
  }
}

const hits = (fault: Resolved, index: number): boolean =>
  fault.on !== 'segment' ||
  fault.index === undefined ||
  (index >= fault.index && index < fault.index + fault.count);
