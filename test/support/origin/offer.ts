import { keyTag } from './encryption.ts';
import { shownAt, type WindowPlan } from './liveWindow.ts';
import { type Era, eraAt } from './numbering.ts';
import { type Line, renderMedia } from './playlistText.ts';
import type { ResolvedOptions } from './streamOptions.ts';
import { breaksBefore, discontinuitySequence, placeOf, type Timeline } from './timeline.ts';
import type { Advertised } from './truth.ts';

const SUFFIX = { ts: 'ts', fmp4: 'm4s' } as const;

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
  const token = options.tokens && Math.floor(parts.elapsedMs / options.tokens.rotateMs);
  const query = token === undefined ? '' : `?token=${token}`;
  const text = renderMedia({
    lines: shown.map((segment) => lineOf(parts, segment, query)),
    mediaSequence: first + era.shift,
    discontinuitySequence: discontinuitySequence(timeline, first),
    targetDurationMs: plan.segmentMs,
    type: options.vod ? 'VOD' : undefined,
    ended,
  });
  return { text, shown, ended };
}

function lineOf(
  parts: OfferParts,
  { index, msn }: { readonly index: number; readonly msn: number },
  query: string,
): Line {
  const { options, timeline } = parts;
  const { set } = placeOf(timeline, index);
  const name = options.names === 'sequence' ? msn : index;
  const start = options.programDateTime === true ? parts.startedAt : options.programDateTime;
  const range = options.byteRanges ? parts.rangeOf(index) : undefined;
  return {
    uri: `${range ? 'all' : name}.${SUFFIX[set.container]}${query}`,
    durationMs: set.segmentMs,
    discontinuity: breaksBefore(timeline, index),
    map: set.init && `init-${set.name}.mp4${query}`,
    key: options.encryption && keyTag(options.encryption, index, query),
    range,
    gap: options.gaps.includes(index),
    programDateTime: start === false ? undefined : start + index * set.segmentMs,
  };
}
