import type { ConfigReload } from '../config/liveConfig.ts';
import type { Environment, LoadedConfig } from '../config/load.ts';
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

/** What the service is made of. */
export interface ServiceOptions {
  readonly loaded: LoadedConfig;
  /** Reads the settings again. Throws for what is not valid. */
  load(): LoadedConfig;
  /** Tells whoever started it. */
  say(sentence: string): void;
}

export interface Started {
  /** Jobs that it goes on with. */
  readonly resumed: number;
  /** The first key, if it was made now: nobody is told it again. */
  readonly firstKey?: string;
  /** What complaints to the clipping service are signed with, when none was configured: made now, and shown this once. */
  readonly clipperSecret?: string;
}

/** The service, as `kennel serve` sees it. */
export interface KennelService {
  /** Listens, and answers probes. Resolves with the address. */
  open(): Promise<string>;
  /** Everything else. Resolves when it runs, however long the database is away; rejects when it cannot, or is stopped before. */
  start(): Promise<Started>;
  /** Never throws: settings that are not valid change nothing, and are logged. */
  reload(why: string): ConfigReload;
  /** No job begins any more. Resolves when the policy has recordings wait no longer. */
  drain(signal: AbortSignal): Promise<void>;
  /** Stops everything. Hosts stop their recordings, which stay resumable, or with `leave` go on for their next life to adopt. Idempotent. */
  stop(options: { readonly leave: boolean }): Promise<void>;
  readonly fallen: Promise<unknown>;
}

export interface CliContext {
  readonly env: Environment;
  readonly terminal: Terminal;
  /** Builds Kennel from its settings; nothing runs before `start`. */
  compose(config: Config): Promise<Kennel>;
  composeService(options: ServiceOptions): Promise<KennelService>;
}
