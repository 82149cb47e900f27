import { KennelError } from '../core/errors.ts';

const PREFIXES: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const BITS_OF_BYTE = 8;

/**
 * Reads `20M` (20 million bits a second, as streams and lines are measured), `500k`, `1.5Mbit`, or `2.5MB` (bytes, with a capital B)
 * as bytes a second.
 *
 * @throws KennelError `usage.invalid`
 */
export function bytesPerSecond(text: string): number {
  const [, amount = '', prefix = '', unit = ''] =
    /^(\d+(?:\.\d+)?)\s*([kKmMgG]?)(bit|bits|b|B)?(?:\/s|ps)?$/.exec(text.trim()) ?? [];
  const value = Number(amount) * (PREFIXES[prefix.toLowerCase()] ?? 0);
  const bytes = Math.floor(unit === 'B' ? value : value / BITS_OF_BYTE);
  if (amount === '' || !Number.isSafeInteger(bytes) || bytes < 1)
    throw new KennelError(
      'usage.invalid',
      `${JSON.stringify(text)} is not a bandwidth; write 20M or 500k for bits a second, 2.5MB for bytes.`,
    );
  return bytes;
}
