import type { LinkKind } from '../../intake/link.ts';
import type { MediaContainer } from './mediaContainer.ts';

/** The longest jump of timestamps that is left alone, seconds: eleven days. */
const JUMP_MAX_S = 1_000_000;
/** Timestamps of MPEG-TS are counted modulo this, in ticks of 90 kHz (ISO 13818-1 §2.4.3.7). */
const WRAP_S = '8589934592/90000';
/** What is further back than this is a jump, seconds: as ffmpeg itself judges where it is told to close them. The sound of a segment may reach into the next one. */
const JUMP_BACK_S = '0.1';
/** One stream that jumped is not held back for longer than this until the others have, microseconds. */
const INTERLEAVE_US = 1_000_000;

/** HLS may jump back, at an advertisement, say; and pages mostly lead to it. */
const mayJump = (kind: LinkKind): boolean => kind === 'hls' || kind === 'page';

/**
 * What ffmpeg is to do with timestamps: the source's own are what joins two runs, and what tells how much is missing between them.
 * In MP4 there is no room for jumps back: there times of sources that may jump begin at zero with each run, and runs are joined by
 * their content.
 */
export const timing = (kind: LinkKind, container: MediaContainer): readonly string[] =>
  mayJump(kind) && container === 'mp4' ? ['-dts_delta_threshold', String(JUMP_MAX_S)] : ['-copyts'];

/**
 * How the source's timestamps get through where they jump back. Before any muxer ffmpeg (seen with 5.1, the same in 7.0: `mux_fixup_ts`)
 * raises what is not later than the packet before, so that all that follows a jump back would be written one tick apart. So each
 * stream is set ahead by a whole round of the timestamps of MPEG-TS whenever it jumps back: for ffmpeg it goes on, and what is written, modulo 2^33,
 * is what came in. Options of the output.
 */
export const jumps = (kind: LinkKind, container: MediaContainer): readonly string[] =>
  mayJump(kind) && container === 'mpegts'
    ? ['-bsf', JUMP_FILTER, '-max_interleave_delta', String(INTERLEAVE_US)]
    : [];

/** Commas would end the filter's options. */
const JUMP_FILTER = (() => {
  const isBack = `lt(DTS,PREV_INDTS-${JUMP_BACK_S}/TB)`;
  const ahead = `if(N,PREV_OUTDTS-PREV_INDTS+${WRAP_S}/TB*${isBack})`;
  return `setts=pts=if(eq(PTS,NOPTS),NOPTS,PTS+${ahead}):dts=DTS+${ahead}`.replaceAll(',', '\\,');
})();
