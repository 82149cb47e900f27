/** The contract of everything that runs: start and stop, each idempotent, stop always safe. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
