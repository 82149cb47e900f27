import { z } from 'zod';
import { KennelError } from '../core/errors.ts';

const CURSOR_CHARACTERS_MAX = 500;

export const Cursor = z
  .string()
  .max(CURSOR_CHARACTERS_MAX)
  .meta({ description: 'Where the page before ended: as `next_page_url` has it' });

/** Where a page ended, as an opaque text: base64url of JSON. */
export const cursorOf = (place: object): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/** @throws KennelError `request.invalid` for a text that no page has told */
export function placeOf<Place extends z.ZodType>(schema: Place, cursor: string): z.infer<Place> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new KennelError(
      'request.invalid',
      'The cursor is none that a page has told; begin again without it.',
      { cause },
    );
  }
}

/** The address of the next page: that of this one with another cursor, as path and query. */
export function nextPageUrl(url: string, place: object | undefined): string | null {
  if (place === undefined) return null;
  const next = new URL(url);
  next.searchParams.set('cursor', cursorOf(place));
  return `${next.pathname}${next.search}`;
}
