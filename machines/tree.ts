import { type ActorOptions, type AnyActorLogic, createActor, type InspectionEvent } from 'xstate';
import { type BigDogDogEvent, bigDogDog, type JobReleased } from './bigDogDog.ts';
import type { Ports } from './ports.ts';
import { Recoveries, ROOT } from './recoveries.ts';
import { backoffMs, isSpent, withCrash } from './supervision/backoff.ts';
import { ownTimers } from './supervision/ownTimers.ts';
import { type DogReport, packReport } from './watchReport.ts';

type TreeClock = NonNullable<ActorOptions<AnyActorLogic>['clock']>;

export interface TreeOptions {
  readonly ports: Ports;
  readonly clock: TreeClock;
  /** The jobs a new root begins with: all that have not ended. */
  unfinished(): Promise<readonly string[]>;
  /** The root fell and will be raised again after `delayMs`. */
  onFall(fall: {
    readonly error: unknown;
    readonly crashes: number;
    readonly delayMs: number;
  }): void;
  /** The root is up again after a fall, with all its jobs. It concerns no job, so there is no decision of it. */
  onRecovered?(recovery: { readonly downMs: number }): void;
  /** The root's own restart budget is spent: the node must end, and whoever started it decides. */
  onSpent(error: unknown): void;
  /** The tree has nothing to do with a job any more. */
  onRelease?(released: JobReleased): void;
  readonly inspect?: (event: InspectionEvent) => void;
}

/** The supervision tree as a running thing. */
export interface Tree {
  /** Raises the root with all unfinished jobs. */
  start(): Promise<void>;
  send(event: BigDogDogEvent): void;
  /** Every job finishes well; resolves when no dog is left. */
  drain(): Promise<void>;
  /** What every dog sees at this moment. It costs nothing while nobody asks. */
  watch(): readonly DogReport[];
  /** Lets go of everything at once. Recorders go on; the next life adopts them. */
  stop(): void;
}

/** Keeps Big Dog Dog alive, within the third and last restart budget. */
export function supervisionTree({ ports, clock, ...options }: TreeOptions): Tree {
  const { policy, elapsed, random } = ports;
  let root: ReturnType<typeof raise> | undefined;
  let crashes: readonly number[] = [];
  let timer: unknown;
  let stopped = false;
  let draining: (() => void) | undefined;
  const recoveries = new Recoveries();
  /** What was said while there was no root to hear it. */
  const unheard: BigDogDogEvent[] = [];

  const send = (event: BigDogDogEvent) => {
    if (root?.getSnapshot().status === 'done') {
      // It has drained: nobody is there any more to say no.
      if (event.type === 'job.add')
        options.onRelease?.({ type: 'job.released', jobId: event.jobId, why: 'draining' });
    } else if (root) root.send(event);
    else unheard.push(event);
  };

  const raise = () => {
    const actor = createActor(bigDogDog(ports, recoveries), {
      clock,
      ...(options.inspect && { inspect: options.inspect }),
    });
    ownTimers(actor.system);
    actor.on('job.released', (released) => options.onRelease?.(released));
    actor.subscribe({ error: fall, complete: () => draining?.() });
    return actor.start();
  };
  const begin = async () => {
    const jobs = await options.unfinished();
    if (stopped) return;
    const raised = raise();
    root = raised;
    // What was asked for before the order to drain is taken before it; `send` and not `root.send`: the root may fall here.
    for (const jobId of jobs) send({ type: 'job.add', jobId });
    for (const event of unheard.splice(0)) send(event);
    if (draining) send({ type: 'node.drain' });
    if (raised.getSnapshot().status === 'error') return;
    const recovery = recoveries.recovered(ROOT, 'bigDogDog', elapsed());
    if (recovery) options.onRecovered?.(recovery);
  };
  const fall = (error: unknown) => {
    for (const [jobId, order] of root?.getSnapshot().context.orders ?? [])
      unheard.push({ type: 'job.add', jobId, order });
    root = undefined;
    recoveries.fell(ROOT, 'bigDogDog', { at: elapsed(), why: 'crashed' });
    crashes = withCrash(crashes, elapsed(), policy.bigDogDog);
    if (isSpent(crashes, policy.bigDogDog)) return options.onSpent(error);
    const delayMs = backoffMs(crashes, policy.bigDogDog, random);
    options.onFall({ error, crashes: crashes.length, delayMs });
    timer = clock.setTimeout(() => void begin().catch(fall), delayMs);
  };

  return {
    start: begin,
    send,
    drain: () =>
      new Promise((resolve) => {
        draining = resolve;
        send({ type: 'node.drain' });
      }),
    watch: () => packReport({ root: root?.getSnapshot(), ports, recoveries }),
    stop: () => {
      stopped = true;
      clock.clearTimeout(timer);
      root?.stop();
    },
  };
}
