const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses between tries, milliseconds, as Standard Webhooks proposes: three days until a delivery is given up. */
const PAUSES_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** Nobody may ask to be waited for longer than the longest pause. */
const RETRY_AFTER_MS_MAX = 24 * HOUR;
/** Pauses are longer by up to this share: receivers that come back are not met by everything at once. */
const JITTER = 0.2;

/** Tries of one delivery, the first included. */
export const TRIES_MAX = PAUSES_MS.length + 1;

/**
 * How long to wait after so many failed tries, milliseconds; undefined when that was the last one. `retryAfterMs` is what the
 * receiver asked for; `random` is between 0 and 1.
 */
export function pauseAfterMs(
  tries: number,
  {
    retryAfterMs = 0,
    random,
  }: { readonly retryAfterMs?: number | undefined; readonly random: number },
): number | undefined {
  const pauseMs = PAUSES_MS[tries - 1];
  if (pauseMs === undefined) return undefined;
  return Math.max(pauseMs * (1 + JITTER * random), Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
}

/** What a `Retry-After` asks for, milliseconds from now: seconds, or a date. Undefined for anything else. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,10}$/.test(header)) return Number(header) * SECOND;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
