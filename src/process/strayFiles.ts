import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { systemCodeOf } from '../core/errors.ts';

export interface StrayFile {
  /** `temp`: a tool is writing a muxed file. `part.lingers`: a partial download that nothing grows any more. */
  readonly sign: 'temp' | 'part.lingers';
  /** Its name within the directory. */
  readonly file: string;
}

/** A listing is good for this long, milliseconds: doggies look every few seconds, and the API may ask in between. */
const LISTING_FRESH_MS = 1_000;
/** A `.part` file is being written to all the time while a download lives; so long without a write it is left over. */
const PART_LINGERS_MS = 30_000;
/** Directories whose last listing is remembered: above the recordings that one node carries. */
const LISTINGS_MAX = 1_000;

function signOf(directory: string, file: string, now: number): StrayFile['sign'] | undefined {
  if (file.includes('.temp.')) return 'temp';
  if (!file.endsWith('.part')) return undefined;
  const { mtimeMs } = statSync(join(directory, file));
  return now - mtimeMs > PART_LINGERS_MS ? 'part.lingers' : undefined;
}

function look(directory: string, now: number): StrayFile | undefined {
  try {
    for (const file of readdirSync(directory)) {
      const sign = signOf(directory, file, now);
      if (sign !== undefined) return { sign, file };
    }
  } catch (error) {
    // The directory is not made yet, or a part was renamed while we looked: nothing is astray.
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
  return undefined;
}

/** Looks into recordings' directories for files that tools such as yt-dlp leave when they mux or are interrupted. */
export function strayFileLook(clock: Clock): (directory: string) => StrayFile | undefined {
  const listings = new Map<string, { at: number; found: StrayFile | undefined }>();
  return (directory) => {
    const known = listings.get(directory);
    if (known !== undefined && clock.elapsed() - known.at < LISTING_FRESH_MS) return known.found;
    const found = look(directory, clock.now());
    listings.delete(directory);
    listings.set(directory, { at: clock.elapsed(), found });
    for (const oldest of listings.keys()) {
      if (listings.size <= LISTINGS_MAX) break;
      listings.delete(oldest);
    }
    return found;
  };
}
