import { type Clock, pause } from '../../core/clock.ts';
import { isKennelError, type KennelError, type KennelErrorCode } from '../../core/errors.ts';
import { askAgainAfterMs } from '../../intake/askAgain.ts';
import { doubtMs } from '../../intake/doubt.ts';

export interface WaitForLinkOptions<Answer> {
  ask(signal: AbortSignal): Promise<Answer>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long to wait for what is not there yet, milliseconds. */
  readonly waitMs: number;
  /** Once for each reason. */
  waiting(because: KennelError): void;
}

/**
 * What is behind a link, asked again as long as that may change. Rejects with the last answer when there is no hope, and with the
 * signal's reason.
 */
export async function waitForLink<Answer>(options: WaitForLinkOptions<Answer>): Promise<Answer> {
  const { ask, clock, signal, waitMs, waiting } = options;
  const since = clock.elapsed();
  let told: KennelErrorCode | undefined;
  for (let tries = 1; ; tries++) {
    try {
      return await ask(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isKennelError(error)) throw error;
      const enoughMs = Math.max(mayChange(error) ? waitMs : 0, doubtMs(error.code));
      const leftMs = since + enoughMs - clock.elapsed();
      if (leftMs <= 0 || isOurs(error)) throw error;
      if (told !== error.code) waiting(error);
      told = error.code;
      await pause(clock, Math.min(leftMs, askAgainAfterMs(error, tries)), signal);
      signal.throwIfAborted();
    }
  }
}

/** A page that was read and has no media is what a page without a broadcast looks like, where its site has no words for that. */
const mayChange = ({ retryable, code, details }: KennelError): boolean =>
  retryable || (code === 'source.unsupported' && details['resolver'] !== undefined);

/** No answer of a source at all: something of this machine is missing for the moment. */
export const isOurs = ({ code, retryable }: KennelError): boolean =>
  code === 'sandbox.unavailable' && retryable;
