import { bigint, customType } from './drizzle.ts';

/** A point in time: milliseconds since the epoch here, `timestamptz` there. */
export const instant = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamp (3) with time zone',
  toDriver: (at) => new Date(at).toISOString(),
  fromDriver: (text) => new Date(text).getTime(),
});

/** Bytes, written as lower-case hex here: half the room of text there. */
export const hexBytes = customType<{ data: string; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  toDriver: (hex) => Buffer.from(hex, 'hex'),
  fromDriver: (bytes) => Buffer.from(bytes).toString('hex'),
});

/**
 * What Postgres can store of a text. It refuses NUL and lone surrogates, and both come with the output of tools and the
 * names of streams: a move must not fail for ever because of one letter.
 */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

/** Text that people or programs wrote. */
export const words = customType<{ data: string; driverData: string }>({
  dataType: () => 'text',
  toDriver: storable,
});

/** `JSON.stringify` writes NUL and lone surrogates as these escapes; pairs of surrogates it writes as they are. */
const unstorableEscape = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

export const storableJson = (value: unknown): string =>
  JSON.stringify(value).replace(unstorableEscape, '$1\ufffd');

/** Plain JSON data. */
export const json = <Data>(name: string) =>
  customType<{ data: Data; driverData: unknown }>({
    dataType: () => 'jsonb',
    toDriver: storableJson,
  })(name);

/** Bytes, offsets and tokens: exact in a JavaScript number up to 9 PB. */
export const count = (name: string) => bigint(name, { mode: 'number' });

/** The transaction that wrote a row, which Postgres fills in: what readers of a log go by (`tables/events.ts`). */
export const writtenBy = customType<{ data: string }>({ dataType: () => 'xid8' });
