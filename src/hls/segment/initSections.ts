import { rename } from 'node:fs/promises';
import path from 'node:path';
import { diskError } from '../../ledger/diskError.ts';
import type { InitStored } from '../../ledger/record.ts';
import type { MediaDirectories } from '../../recording/files/mediaDirectories.ts';
import { initFile, initPart, removeFile } from '../../recording/files/mediaFiles.ts';
import type { JournalWriter } from '../../recording/journalWriter.ts';
import type { InitSection } from '../playlist/model.ts';
import { segmentIdentity } from '../playlist/segmentIdentity.ts';
import type { FetchedSegment } from './segmentFile.ts';
import { SharedFlights } from './sharedFlights.ts';

/** Initialisation sections whose number is remembered; players get by with one for each discontinuity. */
const REMEMBERED_MAX = 64;

export interface InitDestination extends Patience {
  /** Below the recording's directory. */
  readonly file: string;
}

interface Patience {
  readonly signal: AbortSignal;
  readonly idleTimeoutMs: number;
}

export interface InitSectionsOptions {
  readonly directories: MediaDirectories;
  readonly attempt: number;
  readonly writer: JournalWriter;
  /** Those that the journal names already. */
  readonly stored: readonly InitStored[];
  /** Downloads one into a file of that name. Rejects as `fetchSegment` does. */
  fetch(section: InitSection, to: InitDestination): Promise<FetchedSegment>;
}

/** Where a section is listed. An encoder that begins again reuses the name for another content. */
export interface InitPlace {
  readonly track: string;
  readonly epoch: number;
  readonly discontinuity: number;
  readonly source: number;
}

/** The initialisation sections of a recording, all tracks together: each content is stored once, under one number. */
export class InitSections {
  readonly #options: InitSectionsOptions;
  readonly #stored: InitStored[];
  /** Numbers by place and address. */
  readonly #known = new Map<string, number>();
  readonly #flights = new SharedFlights<number>();
  #downloads = 0;
  /** Contents are given their numbers one after the other. */
  #naming: Promise<unknown> = Promise.resolve();

  constructor(options: InitSectionsOptions) {
    this.#options = options;
    this.#stored = [...options.stored];
  }

  /** The number of a section, which is fetched and stored when it is not known yet. Rejects as `fetchSegment` does. */
  async numberOf(section: InitSection, place: InitPlace, patience: Patience): Promise<number> {
    const { track, epoch, discontinuity, source } = place;
    const identity = segmentIdentity(section.url, section.range, true);
    const name = `${track}/${source}/${epoch}/${discontinuity}/${identity}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    return await this.#flights.join(name, patience.signal, async (signal) => {
      const number = await this.#store(section, track, { ...patience, signal });
      this.#remember(name, number);
      return number;
    });
  }

  async #store(section: InitSection, track: string, patience: Patience): Promise<number> {
    // Which number it gets is known only when its content is; several may be under way.
    const part = initPart(track, this.#downloads++, this.#options.attempt);
    const fetched = await this.#options.fetch(section, { ...patience, file: part });
    const named = this.#naming.then(async () => await this.#name(track, part, fetched));
    this.#naming = named.catch(() => undefined);
    return await named;
  }

  async #name(track: string, part: string, { bytes, checksum }: FetchedSegment): Promise<number> {
    const { directories, writer, attempt } = this.#options;
    const partPath = directories.pathOf(part);
    const same = this.#stored.find((one) => one.track === track && one.checksum === checksum);
    if (same !== undefined) {
      await removeFile(partPath);
      return same.init;
    }
    const init = this.#stored.reduce((highest, one) => Math.max(highest, one.init), -1) + 1;
    const file = initFile(track, init, attempt);
    const filePath = directories.pathOf(file);
    try {
      await rename(partPath, filePath);
    } catch (error) {
      await removeFile(partPath).catch(() => undefined);
      throw diskError(error, 'name', filePath);
    }
    const record: InitStored = { t: 'init', init, track, file, bytes, checksum };
    this.#stored.push(record);
    // The segment's own line waits behind this one.
    void writer.write(record, path.dirname(filePath));
    return init;
  }

  #remember(name: string, init: number): void {
    this.#known.set(name, init);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED_MAX) break;
      this.#known.delete(oldest);
    }
  }
}
