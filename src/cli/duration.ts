import { KennelError } from '../core/errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads `90`, `1.5s`, `5m`, `1h30m`, `2d`, `90:00` or `01:30:00` as milliseconds.
 *
 * @throws KennelError `usage.invalid`
 */
export function durationMs(text: string): number {
  const trimmed = text.trim().toLowerCase();
  const clock = /^(?:(\d+):)?([0-5]?\d|\d+):([0-5]\d)$/.exec(trimmed);
  if (clock) {
    const [, hours = '0', minutes = '0', seconds = '0'] = clock;
    return (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
  }
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(trimmed))
    throw new KennelError(
      'usage.invalid',
      `${JSON.stringify(text)} is not a length of time; write 90, 90s, 5m, 1h30m or 01:30:00.`,
    );
  return [...trimmed.matchAll(/([\d.]+)(ms|[smhd])/g)].reduce(
    (sum, [, amount, unit = 's']) => sum + Number(amount) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

/** `01:02:03`. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
