import { KennelError } from '../core/errors.ts';

/**
 * Reads `Name: value` lines.
 *
 * @throws KennelError `usage.invalid`
 */
export function headersOf(lines: readonly string[]): Record<string, string> | undefined {
  if (lines.length === 0) return undefined;
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
      if (!name || value === undefined)
        throw new KennelError(
          'usage.invalid',
          'A header is written as --header "Name: value"; one of them is not.',
        );
      return [name, value];
    }),
  );
}
