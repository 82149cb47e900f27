/**
 * What the promise comes to, or a rejection with the signal's reason as soon as that is aborted. What the promise comes to after that is
 * nobody's: a late rejection is not an unhandled one. A promise that has settled already wins over a signal that is aborted already.
 */
export async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Nobody else may wait for it any more.
    promise.catch(() => undefined);
  }
}
