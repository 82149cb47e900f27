import type { MarkKind } from '../../ledger/record.ts';
import { attributesOf } from './attributes.ts';
import type { PlaylistMark } from './model.ts';
import { instant, secondsMs } from './playlistNumbers.ts';
import type { TagLine } from './tagLine.ts';

/**
 * Marks of one playlist, newest first when there are more. A mark on every segment of a 2 h window of 2 s segments is 3,600;
 * each costs a journal line of 0.3 KB.
 */
export const MARKS_MAX = 4_096;

/**
 * The rest of a mark's line, characters. An SCTE-35 section is at most 4,096 bytes, 8,194 hex digits, and a date range may hold
 * three of them.
 */
export const MARK_VALUE_CHARACTERS_MAX = 32 * 1024;

/** What kind of mark a tag is, by its name; undefined: none. */
export function markKind(name: string): MarkKind | undefined {
  if (name === 'EXT-X-DATERANGE') return 'daterange';
  if (name.startsWith('EXT-X-CUE')) return 'cue';
  return name.endsWith('SCTE35') ? 'scte35' : undefined;
}

/** What a mark's line says. Nothing in it is vital: what cannot be read is left out, and the line itself is kept. */
export function markOf(kind: MarkKind, { name, value }: TagLine): PlaylistMark {
  const kept = value.slice(0, MARK_VALUE_CHARACTERS_MAX);
  const attributes = attributesOf(kept);
  const id = kind === 'daterange' ? attributes.get('ID') : undefined;
  const startsAt = kind === 'daterange' ? instant(attributes.get('START-DATE')) : undefined;
  const lastsMs =
    secondsMs(attributes.get('DURATION')) ??
    between(startsAt, instant(attributes.get('END-DATE'))) ??
    secondsMs(attributes.get('PLANNED-DURATION')) ??
    (kind === 'cue' ? bareDurationMs(kept) : undefined);
  return {
    kind,
    tag: name,
    value: kept,
    ...(id && { id }),
    ...(startsAt !== undefined && { startsAt }),
    ...(lastsMs !== undefined && { durationMs: lastsMs }),
  };
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined || to < from ? undefined : to - from;
}

/** `30.5` of an EXT-X-CUE-OUT, or the whole of `8.5/30` of an EXT-X-CUE-OUT-CONT. */
function bareDurationMs(value: string): number | undefined {
  const [, total] = /^(?:[\d.]+\/)?([\d.]+)(?:,|$)/.exec(value) ?? [];
  return secondsMs(total);
}
