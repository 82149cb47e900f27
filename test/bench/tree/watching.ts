import { supervisionTree } from '../../../machines/tree.ts';
import type { Configuration } from './configuration.ts';
import type { MemoryWorld } from './memoryWorld.ts';
import { PlainWatch } from './plainWatch.ts';

/** What is measured: something that watches all jobs of a world. */
export interface Watching {
  start(): Promise<void>;
  /** Whether nobody watches any more, now that every job has ended. */
  isOver(): Promise<boolean>;
}

export const watchingOf = (
  watcher: Configuration['watcher'],
  world: Pick<MemoryWorld, 'ports' | 'jobIds'>,
): Watching => (watcher === 'tree' ? tree(world) : plain(world));

function tree({ ports, jobIds }: Pick<MemoryWorld, 'ports' | 'jobIds'>): Watching {
  const spoil = (error: unknown): never => {
    throw new Error('the root fell: the measurement is spoilt', { cause: error });
  };
  const kennel = supervisionTree({
    ports,
    clock: { setTimeout, clearTimeout },
    unfinished: async () => jobIds,
    onFall: ({ error }) => spoil(error),
    onSpent: spoil,
  });
  return {
    start: kennel.start,
    isOver: async () => {
      const drained = kennel.drain().then(() => true);
      return await Promise.race([drained, turn().then(() => false)]);
    },
  };
}

function plain({ ports, jobIds }: Pick<MemoryWorld, 'ports' | 'jobIds'>): Watching {
  const watched = new Map<string, PlainWatch>();
  const onEnd = (jobId: string) => void watched.delete(jobId);
  return {
    start: async () => {
      for (const jobId of jobIds) watched.set(jobId, new PlainWatch(ports, { jobId, onEnd }));
      await Promise.all(watched.values().map(async (job) => await job.start()));
    },
    isOver: async () => {
      await turn();
      return watched.size === 0;
    },
  };
}

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
