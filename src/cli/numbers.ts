import { KennelError } from '../core/errors.ts';

/** @throws KennelError `usage.invalid` */
export function wholeNumber(
  option: string,
  text: string,
  [least, most]: readonly [least: number, most: number],
): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw new KennelError(
      'usage.invalid',
      `${option} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`,
    );
  return value;
}
