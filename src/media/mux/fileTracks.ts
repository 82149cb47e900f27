import type { MediaInfo, MediaTrack } from '../mediabunny/protocol.ts';
import type { RenditionInfo } from '../renditions.ts';
import type { MuxedFile } from './muxResult.ts';
import type { ReadRun } from './readRuns.ts';

/** Which rendition each track of the file is of: the pictures of all renditions come first, then the sound of all. */
export function renditionOrder(
  { run, firsts, companionFirsts }: Pick<ReadRun, 'run' | 'firsts' | 'companionFirsts'>,
  kind: MediaTrack['kind'],
): RenditionInfo[] {
  const renditions: readonly RenditionInfo[] = [run.info, ...run.companions];
  return [firsts[0], ...companionFirsts].flatMap((info, index) =>
    (info?.tracks ?? [])
      .filter((track) => track.kind === kind)
      .flatMap(() => renditions[index] ?? []),
  );
}

/** The tracks of a finished file, as it is read, each with the rendition that it is. */
export function fileTracks(
  read: Pick<ReadRun, 'run' | 'firsts' | 'companionFirsts'>,
  info: MediaInfo,
): MuxedFile['tracks'] {
  const orders = { video: renditionOrder(read, 'video'), audio: renditionOrder(read, 'audio') };
  const counts = { video: 0, audio: 0 };
  return info.tracks.map(({ kind, codec, codecString, packets = 0, width, height }) => {
    const rendition = orders[kind][counts[kind]++] ?? read.run.info;
    return {
      kind,
      track: rendition.track,
      codec: codecString ?? codec ?? 'unknown',
      packets,
      ...(width !== undefined && { width }),
      ...(height !== undefined && { height }),
      ...(rendition.language !== undefined && { language: rendition.language }),
      ...(rendition.name !== undefined && { name: rendition.name }),
    };
  });
}
