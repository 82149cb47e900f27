import type { types } from 'hls-parser';
import { asWritten } from './masterLines.ts';
import type { Rendition } from './model.ts';

const KINDS: Readonly<Partial<Record<types.Rendition['type'], Rendition['kind']>>> = {
  AUDIO: 'audio',
  SUBTITLES: 'subtitles',
};

/** The renditions of a group that can be fetched on their own, in the order of the playlist. */
export function renditionModels(group: readonly types.Rendition[]): Rendition[] {
  return group.flatMap((rendition) => {
    const kind = KINDS[rendition.type];
    return kind === undefined || !rendition.uri ? [] : [renditionModel(rendition, kind)];
  });
}

function renditionModel(parsed: types.Rendition, kind: Rendition['kind']): Rendition {
  // The parser's types do not say that any attribute can be missing.
  const { uri = '', name = '', language = '', channels = '' } = parsed as Partial<types.Rendition>;
  const spoken = asWritten(language).trim();
  return {
    kind,
    url: new URL(asWritten(uri)),
    name: asWritten(name) || spoken || kind,
    isDefault: parsed.isDefault === true,
    isForced: parsed.forced === true,
    ...(spoken && { language: spoken }),
    ...(channels && { channels: asWritten(channels) }),
  };
}
