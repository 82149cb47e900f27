import { invalidPlaylist } from './invalidPlaylist.ts';
import type { TagLine } from './tagLine.ts';

/** No player waits longer than this for one segment; larger numbers are typing errors. Seconds. */
const DURATION_MAX_S = 3600;

/** Digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS_MAX = 15;

/**
 * The largest number of a first segment. No playlist that is read has more segments than characters (16 Mi), so that the
 * numbers after this one are exact too.
 */
const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER - 16 * 1024 * 1024;

const ZERO = 48;
const NINE = 57;
const POINT = 46;
const COMMA = 44;
const CARRIAGE_RETURN = 13;

/** Seconds as whole milliseconds; undefined for what is no duration. */
export function secondsMs(text: string | undefined): number | undefined {
  const ms = Math.round(Number.parseFloat(text ?? '') * 1000);
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined;
}

/** The duration of a segment: seconds as whole milliseconds, at most an hour. */
export function durationMs(text: string): number | undefined {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) && value >= 0 ? wholeMs(value) : undefined;
}

const wholeMs = (seconds: number): number => Math.round(Math.min(seconds, DURATION_MAX_S) * 1000);

/**
 * As `durationMs`, of the text from `start` up to a comma or `end`. A long playlist has thousands of these, nearly all of a few
 * digits, which are read here without making a text of them.
 */
export function durationMsAt(text: string, start: number, end: number): number | undefined {
  let value = 0;
  let digits = 0;
  let scale = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      scale *= 10;
      digits++;
    } else if (code === POINT && scale === 0) scale = 1;
    else if (code === COMMA || code === CARRIAGE_RETURN) break;
    else return durationMs(text.slice(start, end));
  }
  if (digits === 0 || digits > EXACT_DIGITS_MAX) return durationMs(text.slice(start, end));
  return wholeMs(scale === 0 ? value : value / scale);
}

/** A sequence number. Unreadable counts as missing, which is 0 (RFC 8216 §4.3.3.2); one that cannot be true is refused. */
export function sequenceNumber({ name, value }: TagLine): number {
  const number = Number.parseFloat(value);
  if (Number.isNaN(number)) return 0;
  if (!Number.isInteger(number) || number < 0 || number > SEQUENCE_MAX) {
    throw invalidPlaylist(`${name} is not a sequence number`, value);
  }
  return number;
}

/** A whole number that is not negative; undefined for anything else. */
export function wholeNumber(text: string): number | undefined {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * A date and time (ISO 8601), milliseconds since the epoch; undefined for what is none. One without a zone is taken for UTC:
 * the zone of this machine says nothing about the origin.
 */
export function instant(text: string | undefined): number | undefined {
  const value = text?.trim() ?? '';
  if (!/^\d{4}-\d{2}-\d{2}T/.test(value)) return undefined;
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$/i.test(value);
  const at = Date.parse(hasZone ? value.replace(/([+-]\d{2})$/, '$1:00') : `${value}Z`);
  return Number.isNaN(at) ? undefined : at;
}
