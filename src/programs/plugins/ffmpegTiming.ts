import type { LinkKind } from '../../intake/link.ts';

/** The longest jump of timestamps that is left alone, seconds: eleven days. */
const JUMP_MAX_S = 1_000_000;

/**
 * What ffmpeg is to do with timestamps. The source's own are what joins two runs. But where those of HLS jump back, at an advertisement, say,
 * ffmpeg (seen with 5.1) then writes all that follows one tick apart. So for HLS, and for pages, which mostly lead to it, times begin at zero
 * with each run, jumps are left as they are, and runs are joined by their content.
 */
export const timing = (kind: LinkKind): readonly string[] =>
  kind === 'hls' || kind === 'page' ? ['-dts_delta_threshold', String(JUMP_MAX_S)] : ['-copyts'];
