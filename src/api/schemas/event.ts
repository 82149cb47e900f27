import { z } from 'zod';
import { text } from './text.ts';

export const Place = text(64)
  .regex(/^\d+-\d+$/)
  .meta({ description: 'A place in the log of events; `0-0` is its beginning' });

/** A type, or what types begin with: `job.*`. */
const Types = text(1_000)
  .regex(/^[\w.]+\*?(,[\w.]+\*?)*$/)
  .meta({ description: 'Types with commas between; `*` at the end stands for anything' });

export const EventQuery = z.object({
  after: Place.optional().meta({ description: 'Resume after this place; absent: from now' }),
  types: Types.optional(),
  ticket: text(100).optional().meta({ description: 'Instead of a key (`POST /tickets`)' }),
});

/** What browsers send when they come back. It is newer than what the URL says. */
export const EventHeaders = z.object({ 'last-event-id': Place.optional() });

export const EventText = z
  .string()
  .meta({ description: '`id`: the place, `event`: the type, `data`: an `Event` as JSON' });
