import {
  ALL_FORMATS,
  EncodedAudioPacketSource,
  EncodedVideoPacketSource,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  type Output,
} from 'mediabunny';
import { concatenatedFiles } from './concatenatedFiles.ts';
import type { InputParts, StitchPart, StitchRendition, StitchRequest } from './protocol.ts';

/** One track of the output. */
export type Writer = {
  readonly codec: string;
  /** Written so far. */
  packets: number;
  readonly rendition: number;
  /** Which of its rendition's tracks of this kind it is. */
  readonly nth: number;
} & (
  | { readonly kind: 'video'; readonly source: EncodedVideoPacketSource }
  | { readonly kind: 'audio'; readonly source: EncodedAudioPacketSource }
);

export type MediaTrack = InputVideoTrack | InputAudioTrack;

export const openInput = (files: InputParts): Input =>
  new Input({ source: concatenatedFiles(files), formats: ALL_FORMATS });

export type WantedTracks = Pick<StitchRequest, 'withoutPictures'>;

/** Video first, as every player expects it. */
export const mediaTracksOf = async (
  input: Input,
  { withoutPictures }: WantedTracks,
): Promise<MediaTrack[]> => [
  ...(withoutPictures ? [] : await input.getVideoTracks()),
  ...(await input.getAudioTracks()),
];

/**
 * Adds every track that the output will have, as the first part of each rendition tells it: the pictures of all renditions, then
 * the sound of all. The first sound is what a player takes when nobody chooses.
 */
export async function addWriters(output: Output, request: StitchRequest): Promise<Writer[]> {
  const parts = request.sections.flatMap((section) => section.parts);
  const found: { rendition: number; track: Described; nth: number }[] = [];
  for (const rendition of request.renditions.keys()) {
    const part = parts.find((each) => each.rendition === rendition);
    if (part === undefined) continue;
    const counts = { video: 0, audio: 0 };
    for (const track of await describe(part, request)) {
      found.push({ rendition, track, nth: counts[track.kind]++ });
    }
  }
  const ordered = [
    ...found.filter(({ track }) => track.kind === 'video'),
    ...found.filter(({ track }) => track.kind === 'audio'),
  ];
  const firstAudio = ordered.find(({ track }) => track.kind === 'audio');
  return ordered.map((each) => {
    const { rendition, track, nth } = each;
    const isDefault = track.kind === 'video' ? nth === 0 && rendition === 0 : each === firstAudio;
    const metadata = metadataOf(request.renditions[rendition], isDefault);
    const common = { packets: 0, rendition, nth };
    if (track.kind === 'video') {
      const source = new EncodedVideoPacketSource(track.codec);
      output.addVideoTrack(source, metadata);
      return { kind: 'video', codec: track.codec, source, ...common };
    }
    const source = new EncodedAudioPacketSource(track.codec);
    output.addAudioTrack(source, metadata);
    return { kind: 'audio', codec: track.codec, source, ...common };
  });
}

const metadataOf = (rendition: StitchRendition | undefined, isDefault: boolean) => ({
  ...(rendition?.language !== undefined && { languageCode: rendition.language }),
  ...(rendition?.name !== undefined && { name: rendition.name }),
  disposition: { default: isDefault },
});

type Described =
  | { kind: 'video'; codec: NonNullable<Awaited<ReturnType<InputVideoTrack['getCodec']>>> }
  | { kind: 'audio'; codec: NonNullable<Awaited<ReturnType<InputAudioTrack['getCodec']>>> };

async function describe(part: StitchPart, wanted: WantedTracks): Promise<Described[]> {
  using input = openInput(part.files);
  const described: Described[] = [];
  for (const track of await mediaTracksOf(input, wanted)) {
    if (track.isVideoTrack()) {
      const codec = await track.getCodec();
      if (codec === null) throw new Error(`the video codec of track ${track.id} is not known`);
      described.push({ kind: 'video', codec });
    } else if (track.isAudioTrack()) {
      const codec = await track.getCodec();
      if (codec === null) throw new Error(`the audio codec of track ${track.id} is not known`);
      described.push({ kind: 'audio', codec });
    }
  }
  return described;
}
