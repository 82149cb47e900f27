import { z } from 'zod';

/**
 * Text from outside. Postgres stores neither NUL nor lone surrogates, so they are refused here, where it can be said,
 * and not somewhere below as a failure. Lengths are in UTF-16 units.
 */
export const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => !value.includes('\0'), 'must not contain NUL')
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode');

/** What people call something. */
export const Name = text(200)
  .min(1)
  .meta({ description: 'A name for people, 1 to 200 characters' });
