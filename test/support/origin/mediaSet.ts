import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { derivationOf, deriveSet } from './derivedSet.ts';

/** Hashes, written as one line with spaces between them; empty where a set has no such packets. */
const Hashes = z.string().transform((line) => (line === '' ? [] : line.split(' ')));

const File = z.object({ file: z.string(), bytes: z.number().int(), sha256: z.string() });

/** `set.json` of a media set: what it is, and the oracle's reference for each of its segments. */
export const SetDescription = z.object({
  name: z.string(),
  container: z.enum(['ts', 'fmp4', 'packed', 'webvtt']),
  /** Every segment of a set is equally long. */
  segmentMs: z.number().int().positive(),
  /** 0 without video, as the height and the frame rate. */
  width: z.number().int(),
  height: z.number().int(),
  frameRate: z.number(),
  /** RFC 6381, as in EXT-X-STREAM-INF. */
  codecs: z.string(),
  /** Bits per second of the fattest segment. */
  bandwidth: z.number().int(),
  init: File.optional(),
  segments: z.array(
    File.extend({
      durationMs: z.number().int(),
      /** Hash of every packet of this segment in order, unique in the whole set (see `test/support/oracle/`). */
      video: Hashes,
      audio: Hashes,
    }),
  ),
});
export type SetDescription = z.infer<typeof SetDescription>;
/** The same as it stands in the file. */
export type WrittenSet = z.input<typeof SetDescription>;

/** A media set in memory: at most a few MB. */
export interface MediaSet extends SetDescription {
  readonly initBody: Uint8Array | undefined;
  readonly bodies: readonly Uint8Array[];
}

const home = join(import.meta.dirname, '../../fixtures/media');

/** Names of the committed sets, as `ts`, `hi`, `fmp4`. */
export const setNames = (): string[] =>
  readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();

/** The directory of a set's files. */
export const setDirectory = (name: string): string => join(home, name);

/** Reads `set.json` alone: enough for the oracle. Of committed sets only. */
export const describeSet = (name: string): SetDescription =>
  SetDescription.parse(JSON.parse(readFileSync(join(home, name, 'set.json'), 'utf8')));

/** Reads a set with all its media, or makes it of another (see derivedSet.ts). */
export async function loadSet(name: string): Promise<MediaSet> {
  const derived = derivationOf(name);
  if (derived !== undefined) return deriveSet(await loadSet(derived.of), derived.how);
  const description = describeSet(name);
  const read = (file: string): Promise<Uint8Array> => readFile(join(home, name, file));
  const bodies = await Promise.all(description.segments.map((segment) => read(segment.file)));
  const initBody = description.init && (await read(description.init.file));
  return { ...description, bodies, initBody };
}
