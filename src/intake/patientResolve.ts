import { type Clock, pause } from '../core/clock.ts';
import { isKennelError, type KennelError, type KennelErrorCode } from '../core/errors.ts';
import { askAgainAfterMs } from './askAgain.ts';
import type { ResolvedLink } from './link.ts';

/** How long an answer is doubted although nobody wants to wait, milliseconds; as the native engine doubts playlists. */
const DOUBTED_MS: Partial<Record<KennelErrorCode, number>> = {
  'source.notFound': 3_000,
  'source.refused': 3_000,
  'source.unavailable': 10_000,
  'timeout.exceeded': 10_000,
  // A program is not asked again before a quarter of a minute.
  'tool.failed': 30_000,
  // Proxies answer with HTML for a moment, which looks like a page.
  'tool.missing': 5_000,
};

export interface PatientResolveOptions {
  resolve(signal: AbortSignal): Promise<ResolvedLink>;
  readonly clock: Clock;
  /** How long to wait for what is not there yet, milliseconds. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** After every try that failed: a sign of life. `isFirst`: the waiting begins, and somebody may want to know. */
  tried(error: KennelError, isFirst: boolean): void;
}

/**
 * What is behind a link, asked again while that can help: what is not there yet until the waiting time is over, what may be a
 * hiccup for some seconds. Rejects with the last answer, and with the signal's reason.
 */
export async function patientResolve(options: PatientResolveOptions): Promise<ResolvedLink> {
  const { resolve, clock, waitMs, signal, tried } = options;
  const since = clock.elapsed();
  for (let tries = 1; ; tries++) {
    try {
      return await resolve(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isKennelError(error)) throw error;
      const spentMs = clock.elapsed() - since;
      const mayCome = error.retryable && spentMs < waitMs;
      const isDoubted = spentMs < (DOUBTED_MS[error.code] ?? 0);
      if (!mayCome && !isDoubted) throw error;
      tried(error, tries === 1);
      const patienceMs = Math.max(waitMs, DOUBTED_MS[error.code] ?? 0);
      // Asked once more when the time is over, not some seconds before.
      const restMs = Math.max(1, patienceMs - spentMs);
      await pause(clock, Math.min(restMs, askAgainAfterMs(error, tries)), signal);
      signal.throwIfAborted();
    }
  }
}
