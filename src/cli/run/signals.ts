import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type Signal = (typeof SIGNALS)[number];

export interface Signals {
  /** Resolves with the first signal: everything finishes well. */
  readonly first: Promise<Signal>;
  /** Resolves with the second one: everything ends at once. A third one is the system's own business and kills. */
  readonly second: Promise<Signal>;
  /** 128 and the number of the first signal; undefined as long as there was none. */
  exitCode(): number | undefined;
  stop(): void;
}

/** Listens for the signals that ask a process to end. Default: all that do. */
export function listenForSignals(signals: readonly Signal[] = SIGNALS): Signals {
  const first = Promise.withResolvers<Signal>();
  const second = Promise.withResolvers<Signal>();
  const heard: Signal[] = [];
  const hear = (signal: Signal) => {
    heard.push(signal);
    if (heard.length === 1) first.resolve(signal);
    else {
      // Not at once: libraries that end children with their parent (execa's signal-exit) hear the same signal after this, and
      // would raise it again where nobody else seems to listen.
      setImmediate(stop);
      second.resolve(signal);
    }
  };
  const stop = () => {
    for (const signal of signals) process.off(signal, hear);
  };
  for (const signal of signals) process.on(signal, hear);
  return {
    first: first.promise,
    second: second.promise,
    exitCode: () => (heard[0] ? 128 + constants.signals[heard[0]] : undefined),
    stop,
  };
}
