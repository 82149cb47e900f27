import type { Finish, Leash, Store } from '../../machines/ports.ts';
import { supervisionTree } from '../../machines/tree.ts';
import type { Config } from '../config/schema.ts';
import { systemClock as clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/database.ts';
import type { EventLogStore } from '../db/eventLog.ts';
import { jobStore } from '../db/jobStore.ts';
import { segmentIndex } from '../db/segmentIndex.ts';
import type { HostPool } from '../hosts/hostPool.ts';
import { DiskWatch } from '../jobs/diskWatch.ts';
import { EventFeed } from '../jobs/events.ts';
import { exitCodeOfJob } from '../jobs/exitCode.ts';
import { lazyFinish } from '../jobs/lazyFinish.ts';
import { KennelNode } from '../jobs/node.ts';
import { POLICY } from '../jobs/policy.ts';
import { ledgerOf, recordingDirectory } from '../jobs/recordings.ts';
import { serialFinish } from '../jobs/serialFinish.ts';
import { proofOf } from '../ledger/proof.ts';
import { leash as leashOf } from '../process/leash.ts';
import { assertWritable } from '../storage/assertWritable.ts';
import { freeBytes } from '../storage/freeBytes.ts';
import { finishing, storedFiles } from './finishing.ts';

export interface RecordingNodeParts {
  readonly config: Config;
  readonly database: Database;
  readonly hosts: HostPool;
  /** Where alerts are told, and who is told at once of what was committed. A node without a service has no readers. */
  readonly events?: Pick<EventLogStore, 'append' | 'ring'>;
  readonly log: Log;
}

/** What records on this machine: the supervision tree with all that it acts by. Nothing runs before `start`. */
export function recordingNode({ config, database, hosts, events, log }: RecordingNodeParts) {
  const feed = new EventFeed();
  const directoryOf = (jobId: string) => recordingDirectory(config.dataDir, jobId);
  const records = jobStore(database, {
    clock,
    log,
    onMove: (jobId, move, at) => {
      node.moved(jobId, move, at);
      events?.ring();
    },
    onDecision: (decision, at) => {
      feed.tell({ type: 'job.decided', ...decision }, at);
      events?.ring();
    },
  });
  const index = segmentIndex(database);
  const leash = leashOf({ driver: hosts.driver, log, directoryOf });
  const proof = async (jobId: string) => proofOf(await ledgerOf(directoryOf(jobId)));
  const node = new KennelNode({
    records,
    index,
    leash,
    feed,
    clock,
    log,
    directoryOf,
    assertWritable,
    proofOf: proof,
    filesOf: (jobId) => storedFiles(directoryOf(jobId)),
    exitCodeOf: exitCodeOfJob,
  });
  const finish = lazyFinish(() => finishing(config, log));
  const { tree, fallen } = treeOf({ node, leash, records, log, finish });
  const disk = new DiskWatch({
    freeBytes: () => freeBytes(config.dataDir),
    activeJobs: node.jobIds,
    leash,
    feed,
    ...(events && { eventLog: events }),
    clock,
    log,
  });
  return {
    node,
    records,
    index,
    feed,
    disk,
    fallen,
    directoryOf,
    proofOf: proof,
    start: async () => {
      await node.raise(tree);
      await disk.start();
    },
    /** Lets go of every job at once. Recorders go on until their hosts are stopped. */
    stop: async () => {
      await disk.stop();
      tree.stop();
    },
  };
}

export type RecordingNode = ReturnType<typeof recordingNode>;

/** The supervision tree over this node's parts; `fallen` resolves when its root could not be kept alive. */
function treeOf({
  node,
  leash,
  records,
  finish,
  log,
}: {
  readonly node: KennelNode;
  readonly leash: Leash;
  readonly records: Store;
  readonly finish: Finish;
  readonly log: Log;
}) {
  const { promise: fallen, resolve: fall } = Promise.withResolvers<unknown>();
  const tree = supervisionTree({
    ports: {
      now: clock.now,
      elapsed: clock.elapsed,
      random: Math.random,
      leash,
      store: records,
      finish: serialFinish(finish),
      policy: POLICY,
    },
    clock: { setTimeout, clearTimeout },
    unfinished: async () => node.jobIds(),
    onFall: ({ error, crashes, delayMs }) =>
      log('error', 'the root of the tree fell', { error: messageOf(error), crashes, delayMs }),
    onRecovered: ({ downMs }) => log('info', 'the root of the tree is up again', { downMs }),
    onSpent: fall,
    onRelease: node.released,
  });
  return { tree, fallen };
}
