import { KennelError } from '../core/errors.ts';

/**
 * A program was not let through to what it was to fetch: nothing changes before somebody allows it. `refused`: `host:port`, at
 * least one; `what`: a sentence that names them. Further details go beside them.
 */
export function refusedByGate(
  refused: readonly string[],
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): KennelError {
  const wanted = refused.map((target) => `--allow ${target}`).join(' ');
  return new KennelError(
    'address.refused',
    `${what} If that is to be reached, allow it: ${wanted}`,
    { details: { ...details, refused } },
  );
}
