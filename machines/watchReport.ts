import type { AnyActorRef, SnapshotFrom } from 'xstate';
import type { bigDog } from './bigDog.ts';
import type { bigDogDog } from './bigDogDog.ts';
import type { Ports } from './ports.ts';
import { type Layer, type Recoveries, ROOT, type Tally } from './recoveries.ts';
import { isJobState, type JobState } from './vocabulary.ts';

/** One layer of a job's supervision, as it stands. Times are milliseconds. */
export interface LayerReport extends Tally {
  readonly layer: Layer;
  readonly isRunning: boolean;
  /** When it last saw something move, milliseconds since the epoch. */
  readonly lastProgressAt?: number;
  /** Looks without progress since then. */
  readonly misses: number;
}

/** One Big Dog, and what watches its recorder. */
export interface DogReport {
  readonly jobId: string;
  /** Undefined while its dog lies fallen, or reads its row. */
  readonly state?: JobState;
  readonly attempt: number;
  readonly layers: readonly LayerReport[];
}

type Root = SnapshotFrom<ReturnType<typeof bigDogDog>>;
type Dog = SnapshotFrom<ReturnType<typeof bigDog>>;

interface Watched {
  /** Undefined while the root lies fallen. */
  readonly root: Root | undefined;
  readonly ports: Pick<Ports, 'now' | 'elapsed' | 'leash'>;
  readonly recoveries: Recoveries;
}

/** Reads the snapshots of all dogs, and the book of their recoveries. */
export function packReport(watched: Watched): readonly DogReport[] {
  const { root } = watched;
  if (root === undefined) return [];
  const { pack, due } = root.context;
  return [
    ...[...pack].map(([jobId, dog]) => dogReport(jobId, dog.getSnapshot(), watched)),
    ...[...due].map((jobId) => dogReport(jobId, undefined, watched)),
  ];
}

function dogReport(jobId: string, dog: Dog | undefined, watched: Watched): DogReport {
  const { root, ports, recoveries } = watched;
  const running = (layer: Layer) => dog?.children[layer] !== undefined;
  const signs = heartbeatOf(dog?.children['heartbeatDoggy'], ports);
  const layer = (name: Layer, more: Partial<LayerReport> = {}): LayerReport => ({
    layer: name,
    isRunning: running(name),
    misses: 0,
    ...recoveries.tally(name === 'bigDogDog' ? ROOT : jobId, name),
    ...more,
  });
  const { misses = 0, lastProgressAt } = signs ?? {};
  const progress = lastProgressAt !== undefined && { lastProgressAt };
  const state = stateOf(dog);
  return {
    jobId,
    ...(state && { state }),
    attempt: dog?.context.job.attempt ?? 0,
    layers: [
      layer('recorder', { isRunning: ports.leash.holds(jobId), ...progress }),
      layer('durationDoggy'),
      layer('tempFileDoggy'),
      layer('heartbeatDoggy', { misses, ...progress }),
      layer('bigDog', { isRunning: dog?.status === 'active' }),
      layer('bigDogDog', { isRunning: root?.status === 'active' }),
    ],
  };
}

function stateOf(dog: Dog | undefined): JobState | undefined {
  const { value } = dog ?? {};
  const name = typeof value === 'object' ? Object.keys(value)[0] : value;
  return isJobState(name) ? name : undefined;
}

/** What heartbeatDoggy has seen: its context is the only place where that is kept. */
function heartbeatOf(
  doggy: AnyActorRef | undefined,
  { now, elapsed }: Pick<Ports, 'now' | 'elapsed'>,
): Pick<LayerReport, 'misses' | 'lastProgressAt'> | undefined {
  // The children of a chart are typed by what they might be, all of them alike.
  const context: { readonly misses: number; readonly movedAt: number } | undefined =
    doggy?.getSnapshot().context;
  if (context === undefined) return undefined;
  const { misses, movedAt } = context;
  return { misses, lastProgressAt: Math.round(now() - (elapsed() - movedAt)) };
}
