import type { Clock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';

/**
 * Runs something that can be aborted, and aborts it with `timeout.exceeded` after `timeoutMs`. `outer` aborts it with its own
 * reason. Nothing of the timer or the listener is left afterwards.
 */
export async function withDeadline<Value>(
  { clock, timeoutMs, outer }: { clock: Clock; timeoutMs: number; outer: AbortSignal },
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const inner = new AbortController();
  const pass = () => inner.abort(outer.reason);
  if (outer.aborted) pass();
  outer.addEventListener('abort', pass, { once: true });
  const timer = clock.setTimeout(() => {
    const message = `no whole answer within ${Math.round(timeoutMs)} ms`;
    inner.abort(new KennelError('timeout.exceeded', message, { retryable: true }));
  }, timeoutMs);
  try {
    return await run(inner.signal);
  } finally {
    clock.clearTimeout(timer);
    outer.removeEventListener('abort', pass);
  }
}
