import { languageCode } from '../languageCode.ts';
import type { RenditionInfo } from '../renditions.ts';
import { isBroken } from '../runs.ts';
import { JUMP_CLOSED_SECONDS } from '../timing/outputMap.ts';
import type { FfmpegPlan } from './ffmpegPlan.ts';
import type { MuxRequest, SubtitleInput } from './muxRequest.ts';

/** A line of arguments has room for 128 KiB in each (Linux, MAX_ARG_STRLEN); no name that people read is longer than this. */
const TEXT_CHARACTERS_MAX = 1_000;

/** Text of somebody else's as a part of an argument: no argument may hold a zero byte, and nobody reads control characters. */
const argumentText = (text: string): string =>
  text.slice(0, TEXT_CHARACTERS_MAX).replaceAll(/\p{Cc}/gu, ' ');

/** The command line that copies a run into `request.output` and prints every packet to standard output. */
export function ffmpegArguments(
  request: MuxRequest,
  plan: FfmpegPlan,
  subtitles: readonly SubtitleInput[],
): string[] {
  const { run, output, tags = {}, createdAt } = request;
  const metadata = [
    ...Object.entries(tags).flatMap(([name, text]) => [
      '-metadata',
      `${name}=${argumentText(text)}`,
    ]),
    ...(createdAt === undefined
      ? []
      : ['-metadata', `creation_time=${new Date(createdAt).toISOString()}`]),
  ];
  const copy = copyAll(plan, request);
  return [
    ...['-hide_banner', '-v', 'error', '-y'],
    ...(plan.exact ? ['-copyts'] : []),
    ...plan.inputs.flatMap((input, index) => [
      // Only where segments are missing or clocks change: a camera that shows a new picture every few seconds jumps by itself.
      ...(!plan.exact && isBroken(run)
        ? ['-dts_delta_threshold', String(JUMP_CLOSED_SECONDS)]
        : []),
      ...(plan.exact ? ['-itsoffset', input.offsetSeconds.toFixed(6)] : []),
      ...['-protocol_whitelist', 'pipe', '-f', input.format],
      ...['-i', index === 0 ? 'pipe:0' : `pipe:${index + 2}`],
    ]),
    ...subtitles.flatMap(({ path }) => [
      ...['-protocol_whitelist', 'file', '-f', 'webvtt', '-i', `file:${path}`],
    ]),
    ...[...copy, ...audioOptions(request), ...subtitleOptions(plan, subtitles), ...metadata],
    ...['-movflags', '+faststart', '-f', 'mp4', output],
    ...[...copy, '-f', 'framecrc', 'pipe:1'],
  ];
}

/** Pictures of all inputs, then sound of all; also packets before the first key frame: nothing that was recorded is left out. */
const copyAll = (
  { inputs }: FfmpegPlan,
  { withoutPictures }: Pick<MuxRequest, 'withoutPictures'>,
): string[] => [
  ...(withoutPictures ? [] : inputs.flatMap((_, index) => ['-map', `${index}:v?`])),
  ...inputs.flatMap((_, index) => ['-map', `${index}:a?`]),
  ...['-copyinkf', '-copypriorss', '1', '-c', 'copy'],
];

function audioOptions({ run, firsts, companionFirsts }: MuxRequest): string[] {
  const renditions: readonly RenditionInfo[] = [run.info, ...run.companions];
  const audios = [firsts[0], ...companionFirsts].flatMap((info, rendition) =>
    (info?.tracks ?? [])
      .filter(({ kind }) => kind === 'audio')
      .map(({ codec }) => ({ codec, info: renditions[rendition] })),
  );
  return audios.flatMap(({ codec, info }, index) => [
    // Without it one damaged AAC frame ends the whole copy; for other codecs it is an error.
    ...(codec === 'aac' ? [`-bsf:a:${index}`, 'aac_adtstoasc'] : []),
    ...describe(`a:${index}`, info),
    ...(run.companions.length > 0
      ? [`-disposition:a:${index}`, index === 0 ? 'default' : '0']
      : []),
  ]);
}

const subtitleOptions = (plan: FfmpegPlan, subtitles: readonly SubtitleInput[]): string[] => [
  ...subtitles.flatMap((_, index) => ['-map', `${plan.inputs.length + index}:s`]),
  ...(subtitles.length > 0 ? ['-c:s', 'mov_text'] : []),
  ...subtitles.flatMap((subtitle, index) => [
    ...describe(`s:${index}`, subtitle),
    ...[`-disposition:s:${index}`, '0'],
  ]),
];

function describe(
  stream: string,
  info: { readonly language?: string; readonly name?: string } | undefined,
): string[] {
  const code = languageCode(info?.language);
  return [
    ...(code === undefined ? [] : [`-metadata:s:${stream}`, `language=${code}`]),
    ...(info?.name === undefined
      ? []
      : [`-metadata:s:${stream}`, `handler_name=${argumentText(info.name)}`]),
  ];
}
