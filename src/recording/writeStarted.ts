import { unlessAborted } from '../core/unlessAborted.ts';
import type { RecordingOptions } from './recorder.ts';

export interface StartedOptions extends Pick<RecordingOptions, 'clock' | 'writer'> {
  /** What is recorded, for the journal. */
  readonly source: Readonly<Record<string, unknown>>;
  /** Whoever waits for the line lets go when it is aborted; the line may still be written. */
  readonly signal: AbortSignal;
}

/**
 * Writes that a recording has begun: from here its duration counts. Resolves with when that was (milliseconds of the epoch), once the line
 * is durable or the signal is aborted; it never rejects.
 */
export async function writeStarted(options: StartedOptions): Promise<number> {
  const { clock, writer, source, signal } = options;
  const at = clock.now();
  const boot = clock.boot?.();
  const durable = writer.write({ t: 'started', at, ...(boot && { boot }), source });
  // Nothing rejects here but the signal, and the caller knows what that means.
  await unlessAborted(durable, signal).catch(() => undefined);
  return at;
}
