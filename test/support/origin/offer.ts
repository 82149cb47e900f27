import { keyTag } from './encryption.ts';
import { FOLDER, tokenQuery, VARIABLE } from './gate.ts';
import { shownAt, type WindowPlan } from './liveWindow.ts';
import { type Era, eraAt } from './numbering.ts';
import { openParts, partCount, SEGMENTS_IN_PARTS } from './parts.ts';
import { type Line, type LowLatencyLines, type PartLine, renderMedia } from './playlistText.ts';
import type { ResolvedOptions } from './streamOptions.ts';
import { breaksBefore, discontinuitySequence, placeOf, type Timeline } from './timeline.ts';
import type { Advertised } from './truth.ts';

const SUFFIX = { ts: 'ts', fmp4: 'm4s', packed: 'aac', webvtt: 'vtt' } as const;

/** One playlist and what it offers. */
export interface Offer {
  readonly text: string;
  readonly shown: readonly Omit<Advertised, 'atMs'>[];
  readonly ended: boolean;
}

export interface OfferParts {
  readonly options: ResolvedOptions;
  readonly timeline: Timeline;
  readonly eras: readonly Era[];
  readonly plan: WindowPlan;
  /** The newest segment that the playlist may show. */
  readonly head: number;
  readonly elapsedMs: number;
  /** Wall clock at the stream's start, milliseconds since the epoch. */
  readonly startedAt: number;
  /** The client has the rest already: what is old enough is left out. */
  readonly wantsDelta: boolean;
  /** Where a segment's bytes lie in the one file of all segments, when there is such a file. */
  rangeOf(index: number): { readonly offset: number; readonly bytes: number };
}

/** Writes the playlist of one moment. Pure. */
export function offer(parts: OfferParts): Offer {
  const { options, timeline, plan } = parts;
  const era = eraAt(parts.eras, parts.head);
  const { first, last, ended } = shownAt(plan, parts.head, era.oldest);
  const shown: Omit<Advertised, 'atMs'>[] = [];
  for (let index = first; index <= last; index++) {
    shown.push({ index, epoch: era.epoch, msn: index + era.shift });
  }
  const text = renderMedia({
    lines: shown.map((segment) => lineOf(parts, segment, last)),
    mediaSequence: first + era.shift,
    discontinuitySequence: discontinuitySequence(timeline, first),
    targetDurationMs: plan.segmentMs,
    type: options.vod ? 'VOD' : undefined,
    ended,
    define: options.define && DEFINE[options.define],
    lowLatency: lowLatencyOf(parts, era),
    skipped: skippedOf(parts, shown.length),
  });
  return { text, shown, ended };
}

/** Attributes of EXT-X-DEFINE by how the variable gets its value. */
const DEFINE = {
  value: `NAME="${VARIABLE}",VALUE="${FOLDER}"`,
  import: `IMPORT="${VARIABLE}"`,
  query: `QUERYPARAM="${VARIABLE}"`,
} as const;

function lineOf(
  parts: OfferParts,
  { index, msn }: { readonly index: number; readonly msn: number },
  last: number,
): Line {
  const { options, timeline } = parts;
  const { set } = placeOf(timeline, index);
  const name = options.names === 'sequence' ? msn : index;
  const start = options.programDateTime === true ? parts.startedAt : options.programDateTime;
  const range = options.byteRanges ? parts.rangeOf(index) : undefined;
  const isInParts = options.lowLatency !== undefined && index > last - SEGMENTS_IN_PARTS;
  const key = options.encryption && keyTag(options.encryption, index, queryOf(parts));
  return {
    uri: addressOf(parts, `${range ? 'all' : name}.${SUFFIX[set.container]}`),
    durationMs: set.segmentMs,
    discontinuity: breaksBefore(timeline, index),
    map: set.init && addressOf(parts, `init-${set.name}.mp4`),
    key: key?.replace('URI="', `URI="${folderOf(parts)}`),
    range,
    gap: options.gaps.includes(index),
    programDateTime: start === false ? undefined : start + index * set.segmentMs,
    marks: options.marks.filter(({ at }) => at === index).map(({ line }) => line),
    parts: isInParts ? partLines(parts, name, Number.POSITIVE_INFINITY) : [],
  };
}

const folderOf = ({ options }: OfferParts): string => (options.define ? `{$${VARIABLE}}/` : '');
const queryOf = ({ options, elapsedMs }: OfferParts): string => tokenQuery(options, elapsedMs);
const addressOf = (parts: OfferParts, file: string): string =>
  `${folderOf(parts)}${file}${queryOf(parts)}`;

/** The first parts of a segment, as many as there are at most. */
function partLines(parts: OfferParts, name: number, most: number): PartLine[] {
  const { plan } = parts;
  const { partMs = plan.segmentMs } = parts.options.lowLatency ?? {};
  const count = Math.min(most, partCount(plan, partMs));
  return Array.from({ length: count }, (_, part) => ({
    uri: addressOf(parts, `${name}.${part}.ts`),
    durationMs: partMs,
    independent: part === 0,
  }));
}

function lowLatencyOf(parts: OfferParts, era: Era): LowLatencyLines | undefined {
  const { lowLatency, names } = parts.options;
  if (lowLatency === undefined) return undefined;
  const { plan, head } = parts;
  const name = head + 1 + (names === 'sequence' ? era.shift : 0);
  const ready = openParts(plan, lowLatency.partMs, parts);
  const isOver = head + 1 >= plan.endAfter;
  return {
    ...lowLatency,
    open: partLines(parts, name, ready),
    hint: isOver ? undefined : addressOf(parts, `${name}.${ready}.ts`),
  };
}

/** Everything but the newest `skipUntilMs` may be left out (RFC 8216bis §6.2.5.1). */
function skippedOf({ options, plan, wantsDelta }: OfferParts, listed: number): number {
  const { skipUntilMs } = options.lowLatency ?? {};
  if (!wantsDelta || skipUntilMs === undefined) return 0;
  return Math.max(0, listed - Math.ceil(skipUntilMs / plan.segmentMs));
}
