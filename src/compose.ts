import type { Kennel, KennelService, ServiceOptions } from './cli/context.ts';
import {
  closeInTime,
  databaseOf,
  lockNode,
  makeDataDirectory,
  nodeLog,
  recorderHosts,
} from './compose/ground.ts';
import { recordingNode } from './compose/recordingNode.ts';
import type { Config } from './config/schema.ts';

/**
 * The composition root of a command: every part of Kennel, in the order in which they need each other; `stop` goes the other way.
 * Nothing runs before `start`, but the database is open (and locked, when it is the embedded one).
 */
export async function compose(config: Config): Promise<Kennel> {
  await makeDataDirectory(config.dataDir);
  const log = nodeLog(config, () => config.logLevel);
  const database = await databaseOf(config, log);
  const hosts = recorderHosts(config, log);
  const { node, records, fallen, ...recording } = recordingNode({ config, database, hosts, log });
  let lock: ReturnType<typeof lockNode> | undefined;
  let stopped: Promise<void> | undefined;
  const stopParts = async () => {
    await recording.stop();
    await hosts.stop();
    lock?.release();
    await closeInTime(async () => {
      await records.close();
      await database.close();
    });
  };
  return {
    node,
    records,
    fallen,
    start: async () => {
      lock = lockNode(config);
      await hosts.start();
      await recording.start();
    },
    drain: () => node.drain(),
    stop: () => {
      stopped ??= stopParts();
      return stopped;
    },
  };
}

/** The composition root of the service, which commands need nothing of. */
export const composeService = async (options: ServiceOptions): Promise<KennelService> =>
  await (await import('./compose/service.ts')).composeService(options);
