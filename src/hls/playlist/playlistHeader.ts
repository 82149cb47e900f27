import type { Attributes } from './attributes.ts';
import type { ServerControl } from './model.ts';
import { durationMs, secondsMs, sequenceNumber } from './playlistNumbers.ts';
import type { TagLine } from './tagLine.ts';

/** The tags that describe a whole media playlist. Of several of one kind the first counts. */
export class PlaylistHeader {
  #targetDurationMs: number | undefined;
  #mediaSequence: number | undefined;
  #discontinuitySequence: number | undefined;
  #serverControl: ServerControl | undefined;

  /** Undefined: it says none that can be read. */
  get targetDurationMs(): number | undefined {
    return this.#targetDurationMs;
  }

  get mediaSequence(): number {
    return this.#mediaSequence ?? 0;
  }

  get discontinuitySequence(): number {
    return this.#discontinuitySequence ?? 0;
  }

  get serverControl(): ServerControl | undefined {
    return this.#serverControl;
  }

  /** Throws `playlist.invalid` for a sequence number that cannot be true. Other tags are passed over. */
  read(tag: TagLine, attributes: () => Attributes): void {
    switch (tag.name) {
      case 'EXT-X-TARGETDURATION':
        this.#targetDurationMs ??= durationMs(tag.value) || undefined;
        return;
      case 'EXT-X-MEDIA-SEQUENCE':
        this.#mediaSequence ??= sequenceNumber(tag);
        return;
      case 'EXT-X-DISCONTINUITY-SEQUENCE':
        this.#discontinuitySequence ??= sequenceNumber(tag);
        return;
      case 'EXT-X-SERVER-CONTROL':
        this.#serverControl ??= serverControlOf(attributes());
    }
  }
}

function serverControlOf(attributes: Attributes): ServerControl {
  const canSkipUntilMs = secondsMs(attributes.get('CAN-SKIP-UNTIL'));
  return {
    canBlockReload: attributes.get('CAN-BLOCK-RELOAD') === 'YES',
    ...(canSkipUntilMs !== undefined && { canSkipUntilMs }),
  };
}
