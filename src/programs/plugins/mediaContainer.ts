import type { ProgramSource } from '../recorderPlugin.ts';

/** What a recording's media is put into: MPEG-TS, or fragmented MP4 where a codec has no place in that. */
export type MediaContainer = 'mpegts' | 'mp4';

/**
 * Tried with ffmpeg 5.1 and 7.0: MPEG-TS keeps H.264, HEVC, MPEG-1/2 video, AAC, MP3, AC-3, E-AC-3, DTS and Opus; these others are muxed
 * into it without a complaint, and read back as unnamed data.
 */
const ONLY_IN_MP4 = /^(?:vp0?9|av0?1|flac|vorbis|alac|theora|mjpe?g|pcm)/i;

/** Neither of the two can hold it. */
const IN_NEITHER = /^vp0?8/i;

/** Which container holds the source's codecs; MPEG-TS when they are not known. Undefined: none of the two does. */
export function mediaContainer(
  { videoCodec = '', audioCodec = '' }: Pick<ProgramSource, 'videoCodec' | 'audioCodec'>,
  audioOnly: boolean,
): MediaContainer | undefined {
  const codecs = audioOnly ? [audioCodec] : [videoCodec, audioCodec];
  if (codecs.some((codec) => IN_NEITHER.test(codec))) return undefined;
  return codecs.some((codec) => ONLY_IN_MP4.test(codec)) ? 'mp4' : 'mpegts';
}

/** Fragments at key frames, each whole by itself, and an index in front: what is there when the program dies can be played. */
const MP4_FLAGS = '+frag_keyframe+empty_moov+default_base_moof';

/** ffmpeg's options for its output: timestamps as they come, nothing held back, and each packet out at once. */
export function muxerArguments(
  container: MediaContainer,
  { audioCodec = '' }: Pick<ProgramSource, 'audioCodec'>,
): string[] {
  if (container === 'mpegts') {
    return [
      ...['-f', 'mpegts', '-mpegts_copyts', '1'],
      ...['-muxdelay', '0', '-muxpreload', '0', '-flush_packets', '1'],
    ];
  }
  // AAC as MPEG-TS carries it has its header in each frame, which MP4 wants once. The filter lets other AAC through.
  const isAac = /^(?:aac|mp4a)/i.test(audioCodec);
  return [
    ...['-f', 'mp4', '-movflags', MP4_FLAGS, '-strict', 'experimental', '-flush_packets', '1'],
    ...(isAac ? ['-bsf:a', 'aac_adtstoasc'] : []),
  ];
}
