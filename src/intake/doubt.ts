import type { KennelErrorCode } from '../core/errors.ts';

/** An answer that there is nothing. */
const NOTHING_MS = 3_000;
/** No answer at all, for longer: origins restart in seconds. */
const SILENCE_MS = 10_000;
/** An answer that is none: proxies answer with HTML for a moment. */
const NONSENSE_MS = 5_000;
/** Who reads pages may fall over one, and is not asked again before a quarter of a minute. */
const TOOL_FAILED_MS = 30_000;

const DOUBT_MS: Partial<Record<KennelErrorCode, number>> = {
  'source.notFound': NOTHING_MS,
  'source.refused': NOTHING_MS,
  'source.unavailable': SILENCE_MS,
  'timeout.exceeded': SILENCE_MS,
  'limit.exceeded': NONSENSE_MS,
  'playlist.invalid': NONSENSE_MS,
  // What answers with HTML for a moment looks like a page.
  'tool.missing': NONSENSE_MS,
  'tool.failed': TOOL_FAILED_MS,
};

/** How long an answer is doubted that somebody may give for a moment, milliseconds; 0: it is believed at once. */
export const doubtMs = (code: KennelErrorCode): number => DOUBT_MS[code] ?? 0;
