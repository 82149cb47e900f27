import type { Part, Run } from '../joinedRun.ts';
import type { MediaInfo } from '../mediabunny/protocol.ts';
import { isBroken } from '../runs.ts';
import { JUMP_CLOSED_SECONDS, stretchesOf } from '../timing/outputMap.ts';
import { WRAP_SECONDS } from '../timing/timestampWrap.ts';
import type { MuxRequest } from './muxRequest.ts';

/** How ffmpeg is to read a run. */
export interface FfmpegPlan {
  /** The run's own track, then each companion. */
  readonly inputs: readonly { readonly format: string; readonly offsetSeconds: number }[];
  /** Timestamps are taken as they are, moved by `offsetSeconds`; otherwise ffmpeg moves and mends them itself. */
  readonly exact: boolean;
}

/** Packed audio is read by the demuxer of its codec; ffmpeg is never left to guess what an untrusted file is. */
const PACKED_FORMATS: Readonly<Record<string, string>> = {
  aac: 'aac',
  mp3: 'mp3',
  ac3: 'ac3',
  eac3: 'eac3',
};

/** So close to the end of the timestamps' range ffmpeg counts on from below zero, seconds (60 in its sources). */
const WRAP_GUARD_SECONDS = 120;

/** How ffmpeg can mux a run, or why this run is nothing for it. */
export function ffmpegPlan(
  request: Pick<MuxRequest, 'run' | 'firsts' | 'companionFirsts' | 'needsExactTimes'>,
): FfmpegPlan | { readonly unfit: string } {
  const { run, firsts, companionFirsts } = request;
  const exact = run.companions.length > 0 || request.needsExactTimes;
  const main = mainFormat(run, firsts);
  if ('unfit' in main) return main;
  if (!exact) return { exact, inputs: [{ format: main.format, offsetSeconds: 0 }] };
  const measured = [firsts[0], ...companionFirsts].every(
    (info) => info?.startSeconds !== undefined,
  );
  if (!measured) return { unfit: 'a segment that could not be read' };
  const [section] = run.sections;
  if (section === undefined || run.sections.length > 1) return { unfit: 'several clocks' };
  const stretches = stretchesOf(section);
  const begin = stretches[0]?.fromSeconds ?? 0;
  if (stretches.length > 1) return { unfit: 'a hole in every track' };
  const inputs: { format: string; offsetSeconds: number }[] = [];
  for (let rendition = 0; rendition <= run.companions.length; rendition++) {
    const [part, ...more] = section.parts.filter((each) => each.rendition === rendition);
    if (part === undefined || more.length > 0) return { unfit: 'a playlist that breaks' };
    if (part.container !== 'ts' && part.container !== 'fmp4') return { unfit: 'packed audio' };
    if (part.container === 'ts' && wraps(part)) return { unfit: 'timestamps that wrap' };
    const format = part.container === 'ts' ? 'mpegts' : 'mov';
    inputs.push({ format, offsetSeconds: part.shiftSeconds - begin });
  }
  return { exact, inputs };
}

/** A joint is the worse for what ffmpeg takes for the length of the last packets, seconds. */
const SKEW_GUARD_SECONDS = 0.1;

/**
 * Whether ffmpeg would put sound and picture out of step: left to itself it closes the jump of each track where that is more than
 * it lets pass, and at a joint where they jump by different times the one pulls the other along.
 */
export const comesOutOfStep = ({
  run,
  ragged,
  needsExactTimes,
}: Pick<MuxRequest, 'run' | 'ragged' | 'needsExactTimes'>): boolean =>
  run.companions.length === 0 &&
  !needsExactTimes &&
  ragged.skewSeconds > JUMP_CLOSED_SECONDS - SKEW_GUARD_SECONDS;

function mainFormat(
  run: Run,
  firsts: readonly MediaInfo[],
): { readonly format: string } | { readonly unfit: string } {
  if (run.container === 'ts') {
    const identifiers = new Set(firsts.map(({ tracks }) => tracks.map(({ id }) => id).join(' ')));
    // Packets under an identifier that was not there at the beginning would be left out without a word.
    return identifiers.size > 1
      ? { unfit: 'packet identifiers change at a discontinuity' }
      : { format: 'mpegts' };
  }
  if (run.container === 'fmp4') {
    // Its demuxer takes decode times as they are: it closes no jump.
    return run.companions.length === 0 && isBroken(run)
      ? { unfit: 'fragmented MP4 with jumps' }
      : { format: 'mov' };
  }
  const format = PACKED_FORMATS[firsts[0]?.tracks[0]?.codec ?? ''];
  return format === undefined ? { unfit: 'packed audio of an unknown codec' } : { format };
}

const wraps = (part: Part): boolean =>
  part.endSeconds - part.shiftSeconds > WRAP_SECONDS - WRAP_GUARD_SECONDS;
