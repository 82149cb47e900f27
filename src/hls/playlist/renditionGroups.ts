import type { Attributes } from './attributes.ts';
import type { Rendition } from './model.ts';
import { httpUrl } from './segmentIdentity.ts';

/** An EXT-X-MEDIA: what it says, and whether what it names can be fetched on its own. */
export interface RenditionLine {
  readonly type: string;
  readonly group: string;
  readonly name: string;
  /** It names no address: the media are in the variant's own segments. */
  readonly isInside: boolean;
  /** Undefined for what is not recorded separately: no address, or one that cannot be asked for, or another type. */
  readonly rendition: Rendition | undefined;
}

const KINDS: Readonly<Record<string, Rendition['kind']>> = {
  AUDIO: 'audio',
  SUBTITLES: 'subtitles',
};

export function renditionLine(attributes: Attributes, base: URL): RenditionLine {
  const type = attributes.get('TYPE')?.toUpperCase() ?? '';
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  const url = httpUrl(attributes.get('URI'), base);
  const language = attributes.get('LANGUAGE')?.trim();
  const channels = attributes.get('CHANNELS');
  const name = attributes.get('NAME') ?? '';
  return {
    type,
    group: attributes.get('GROUP-ID') ?? '',
    name,
    isInside: !attributes.get('URI'),
    rendition:
      kind === undefined || url === undefined
        ? undefined
        : {
            kind,
            url,
            name: name || language || kind,
            isDefault: attributes.get('DEFAULT') === 'YES',
            isForced: attributes.get('FORCED') === 'YES',
            ...(language && { language }),
            ...(channels && { channels }),
          },
  };
}

/** The renditions that a variant may belong to, by type and group. */
export class RenditionGroups {
  readonly #groups = new Map<string, RenditionLine[]>();

  add(line: RenditionLine): void {
    const key = keyOf(line.type, line.group);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, [line]);
    else group.push(line);
  }

  /** In the order of the playlist; empty for a group that it does not have. */
  of(type: 'AUDIO' | 'VIDEO' | 'SUBTITLES', group: string | undefined): readonly RenditionLine[] {
    return group === undefined ? [] : (this.#groups.get(keyOf(type, group)) ?? []);
  }
}

const keyOf = (type: string, group: string): string => `${type}\n${group}`;
