import { z } from 'zod';

/** A moment in answers: ISO 8601, UTC, milliseconds. */
export const Instant = z.iso.datetime().meta({ description: 'ISO 8601, UTC' });

/** The last moment that has four digits for its year, which ISO 8601 and the database agree on. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A moment in requests, with any offset; read as milliseconds since the epoch. */
export const InstantGiven = z.iso
  .datetime({ offset: true })
  .refine((moment) => Date.parse(moment) <= LATEST_MS && Date.parse(moment) >= 0, {
    error: 'must lie between 1970 and 9999',
  })
  .meta({ description: 'ISO 8601 with Z or an offset' });

export const isoOf = (at: number): string => new Date(at).toISOString();

/** `{[name]: ISO}`, or nothing when there is no such moment. */
export const isoWhen = <Name extends string>(
  name: Name,
  at: number | undefined,
): { readonly [Key in Name]?: string } =>
  // A computed key widens to an index signature; it is the one key that the type names.
  at === undefined ? {} : ({ [name]: isoOf(at) } as { readonly [Key in Name]?: string });
