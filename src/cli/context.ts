import type { Environment } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { JobRecords } from '../jobs/jobRecords.ts';
import type { KennelNode } from '../jobs/node.ts';
import type { Terminal } from './terminal.ts';

/** A composed Kennel, as commands see it. */
export interface Kennel {
  readonly node: KennelNode;
  readonly records: JobRecords;
  /** Raises the supervision tree and adopts living recorder hosts. */
  start(): Promise<void>;
  /** Every job finishes well. */
  drain(): Promise<void>;
  /** Stops everything. Recordings that have not ended stay resumable. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the supervision tree could not be kept alive. */
  readonly fallen: Promise<unknown>;
}

export interface CliContext {
  readonly env: Environment;
  readonly terminal: Terminal;
  /** Builds Kennel from its settings; nothing runs before `start`. */
  compose(config: Config): Promise<Kennel>;
}
