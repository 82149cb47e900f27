import { type ActorRefFrom, createActor, emit, enqueueActions, setup } from 'xstate';
import { bigDog } from './bigDog.ts';
import type { JobExtension, JobOrder } from './bigDogKit.ts';
import type { Refusal } from './bigDogReasons.ts';
import { FencedError, type Ports } from './ports.ts';
import { Recoveries } from './recoveries.ts';
import { backoffMs, isSpent, withCrash } from './supervision/backoff.ts';
import { linked } from './supervision/linked.ts';
import { reporting } from './supervision/reporting.ts';

export type BigDogDogEvent =
  /**
   * Takes a job. With an order that ends it, its dog is born with that order: it needs no room, and is taken while the node drains,
   * since it will not last.
   */
  | { readonly type: 'job.add'; readonly jobId: string; readonly order?: Order }
  | { readonly type: 'job.stop'; readonly jobId: string }
  | { readonly type: 'job.kill'; readonly jobId: string }
  | ({ readonly type: 'job.refuse'; readonly jobId: string } & Refusal)
  /** Another end, which is in the row already. Not repeated to later lives: they read it there. */
  | (JobExtension & { readonly jobId: string })
  | { readonly type: 'job.wake'; readonly jobId: string }
  | { readonly type: 'node.drain' }
  | { readonly type: 'child.done'; readonly actorId: string }
  | Fall;

interface Fall {
  readonly type: 'child.error';
  readonly actorId: string;
  readonly error: unknown;
}

/** What a job can be told from outside. That it is abandoned, Big Dog Dog says itself. */
export type Order = Exclude<JobOrder, { readonly type: 'job.abandon' }>;

/** Word for whoever runs the tree: it has nothing to do with this job any more. */
export interface JobReleased {
  readonly type: 'job.released';
  readonly jobId: string;
  /**
   * `ended`: it stands in a terminal state. `fenced`: another owner has it. `spent`: not even its end could be written; the
   * next start of a node takes it up. `draining`, `full`: it was never taken.
   */
  readonly why: 'ended' | 'fenced' | 'spent' | 'draining' | 'full';
  readonly error?: unknown;
}

/** How often a job's last life, which only writes that the job failed, may fall before the job is let go. */
const LAST_LIVES_MAX = 3;

/** The book that Big Dog Dog keeps. Maps, changed in place: XState copies what is in a context, a thousand dogs too. */
interface Context {
  readonly pack: Map<string, ActorRefFrom<ReturnType<typeof bigDog>>>;
  readonly crashes: Map<string, readonly number[]>;
  /** Fallen dogs whose next life waits for its backoff. */
  readonly due: Set<string>;
  /** What each job was last told, with the evidence. Kept until it ends: a dog that fell half-way is told again in its next life. */
  readonly orders: Map<string, Order>;
}

/** A stronger order is never taken back by a weaker one. */
const STRENGTH: Readonly<Record<JobOrder['type'], number>> = {
  'job.refuse': 1,
  'job.stop': 2,
  'job.abandon': 3,
  'job.kill': 4,
};
const ABANDON = { type: 'job.abandon' } as const;

/**
 * The root of the tree: one Big Dog for each job, restarted when it fails (one for one, transient, with intensity and
 * backoff per child: one poisoned job must not take the pack down).
 */
export function bigDogDog(ports: Ports, recoveries = new Recoveries()) {
  return linked(reporting(bigDogDogChart(ports, recoveries)), ({ context }) =>
    context.pack.values(),
  );
}

export function bigDogDogChart(ports: Ports, recoveries = new Recoveries()) {
  const { elapsed, random, policy, store, leash } = ports;
  const dog = bigDog(ports, recoveries);

  const isLastLifeOf = ({ crashes }: Context, jobId: string) =>
    isSpent(crashes.get(jobId) ?? [], policy.bigDog);
  /** What a dog that is born now, or is told something now, has to hear. */
  const orderFor = (context: Context, jobId: string): JobOrder | undefined => {
    const order = context.orders.get(jobId);
    if (!isLastLifeOf(context, jobId)) return order;
    return order && STRENGTH[order.type] > STRENGTH[ABANDON.type] ? order : ABANDON;
  };
  const tell = (context: Context, jobId: string, order: Order) => {
    const known = context.orders.get(jobId);
    if (known && STRENGTH[known.type] > STRENGTH[order.type]) return;
    context.orders.set(jobId, order);
    if (orderFor(context, jobId) === order) context.pack.get(jobId)?.send(order);
  };

  return setup({
    types: {
      context: {} as Context,
      events: {} as BigDogDogEvent,
      emitted: {} as JobReleased,
    },
    guards: {
      isIdle: ({ context: { pack, due } }) => pack.size === 0 && due.size === 0,
      isKnown: ({ context }, jobId: string) => isKnown(context, jobId),
      isDue: ({ context }, jobId: string) => context.due.has(jobId),
      isPastHelp: ({ context }, jobId: string) =>
        (context.crashes.get(jobId) ?? []).length >= policy.bigDog.intensity + LAST_LIVES_MAX,
      /** It has come to stay. */
      isNew: ({ context }, { jobId, order }: Newcomer) =>
        order === undefined && !isKnown(context, jobId),
      fits: ({ context }, { jobId, order }: Newcomer) =>
        order === undefined &&
        !isKnown(context, jobId) &&
        context.pack.size + context.due.size < policy.capacity,
    },
    actions: {
      // XState copies all children on every spawn and stop, so the pack is a Map: a thousand dogs cost what one does.
      unleash: ({ context, self }, jobId: string) => {
        context.due.delete(jobId);
        const isLastLife = isLastLifeOf(context, jobId);
        const input = { jobId, isLastLife };
        const child = createActor(dog, { id: jobId, parent: self, input });
        context.pack.set(jobId, child);
        child.start();
        const order = orderFor(context, jobId);
        if (order) child.send(order);
      },
      tell: ({ context }, { jobId, order }: Newcomer) => {
        if (order) tell(context, jobId, order);
      },
      tellAll: ({ context }, order: Order) => {
        for (const jobId of [...context.pack.keys(), ...context.due]) tell(context, jobId, order);
      },
      passOn: ({ context }, { jobId, ...extension }: JobExtension & { jobId: string }) =>
        context.pack.get(jobId)?.send(extension),
      forget: ({ context: { pack, crashes, orders } }, jobId: string) => {
        for (const book of [pack, crashes, orders]) book.delete(jobId);
        recoveries.forget(jobId);
      },
      /** The job has another owner now, or none can be had; a recorder that went on here would be one too many. */
      retire: (
        { context: { pack, crashes, orders } },
        { jobId, why, error }: { jobId: string; why: 'fenced' | 'spent'; error: unknown },
      ) => {
        for (const book of [pack, crashes, orders]) book.delete(jobId);
        recoveries.forget(jobId);
        const evidence = { error: String(error) };
        store.record(note(jobId, { decision: 'recorder.kill', why, evidence }));
        leash.end(jobId, why).catch((failure: unknown) => {
          const evidence = { error: String(failure) };
          store.record(note(jobId, { decision: 'recorder.kill', why: 'failed', evidence }));
        });
      },
      release: emit((_, { jobId, why, error }: Omit<JobReleased, 'type'>) => ({
        type: 'job.released' as const,
        jobId,
        why,
        ...(error !== undefined && { error }),
      })),
      restart: enqueueActions(({ enqueue, context, self }, { actorId: jobId, error }: Fall) => {
        const crashes = withCrash(context.crashes.get(jobId) ?? [], elapsed(), policy.bigDog);
        const delayMs = backoffMs(crashes, policy.bigDog, random);
        context.pack.delete(jobId);
        context.crashes.set(jobId, crashes);
        context.due.add(jobId);
        recoveries.fell(jobId, 'bigDog', { at: elapsed(), why: 'crashed' });
        const isLastLife = isLastLifeOf(context, jobId);
        const decision = isLastLife ? 'job.abandon' : 'bigDog.restart';
        const evidence = { error: String(error), crashes: crashes.length, delayMs };
        store.record(note(jobId, { decision, why: 'crashed', evidence }));
        enqueue.sendTo(self, { type: 'job.wake', jobId }, { id: `wake.${jobId}`, delay: delayMs });
      }),
    },
  }).createMachine({
    id: 'bigDogDog',
    description: 'The root of a node: one Big Dog for each job, and it restarts the fallen.',
    context: () => ({ pack: new Map(), crashes: new Map(), due: new Set(), orders: new Map() }),
    on: {
      'child.done': {
        actions: [
          { type: 'forget', params: ({ event }) => event.actorId },
          {
            type: 'release',
            params: ({ event }) => ({ jobId: event.actorId, why: 'ended' as const }),
          },
        ],
      },
      'child.error': [
        {
          guard: ({ event }) => event.error instanceof FencedError,
          actions: [
            { type: 'retire', params: ({ event }) => left(event, 'fenced') },
            { type: 'release', params: ({ event }) => left(event, 'fenced') },
          ],
        },
        {
          guard: { type: 'isPastHelp', params: ({ event }) => event.actorId },
          actions: [
            { type: 'retire', params: ({ event }) => left(event, 'spent') },
            { type: 'release', params: ({ event }) => left(event, 'spent') },
          ],
        },
        { actions: { type: 'restart', params: ({ event }) => event } },
      ],
      // What the states below leave of it: a job that is known, or one that comes with an order to end it.
      'job.add': [
        {
          guard: { type: 'isKnown', params: ({ event }) => event.jobId },
          actions: { type: 'tell', params: ({ event }) => event },
        },
        {
          guard: ({ event }) => event.order !== undefined,
          actions: [
            { type: 'tell', params: ({ event }) => event },
            { type: 'unleash', params: ({ event }) => event.jobId },
          ],
        },
      ],
      'job.stop': {
        guard: { type: 'isKnown', params: ({ event }) => event.jobId },
        actions: { type: 'tell', params: ({ event }) => orderOf(event) },
      },
      'job.kill': {
        guard: { type: 'isKnown', params: ({ event }) => event.jobId },
        actions: { type: 'tell', params: ({ event }) => orderOf(event) },
      },
      'job.refuse': {
        guard: { type: 'isKnown', params: ({ event }) => event.jobId },
        actions: { type: 'tell', params: ({ event }) => orderOf(event) },
      },
      'job.extend': { actions: { type: 'passOn', params: ({ event }) => event } },
      'job.wake': {
        guard: { type: 'isDue', params: ({ event }) => event.jobId },
        actions: { type: 'unleash', params: ({ event }) => event.jobId },
      },
    },
    initial: 'open',
    states: {
      open: {
        description: 'Takes jobs.',
        on: {
          'job.add': [
            {
              guard: { type: 'fits', params: ({ event }) => event },
              actions: { type: 'unleash', params: ({ event }) => event.jobId },
            },
            {
              guard: { type: 'isNew', params: ({ event }) => event },
              actions: {
                type: 'release',
                params: ({ event }) => ({ jobId: event.jobId, why: 'full' as const }),
              },
            },
          ],
          'node.drain': 'draining',
        },
      },
      draining: {
        description: 'Takes no more jobs but to end them at once; every job finishes well.',
        entry: { type: 'tellAll', params: { type: 'job.stop' as const } },
        on: {
          'job.add': {
            guard: { type: 'isNew', params: ({ event }) => event },
            actions: {
              type: 'release',
              params: ({ event }) => ({ jobId: event.jobId, why: 'draining' as const }),
            },
          },
        },
        always: { guard: 'isIdle', target: 'drained' },
      },
      drained: { type: 'final', description: 'No dog is left.' },
    },
  });
}

interface Newcomer {
  readonly jobId: string;
  readonly order?: Order;
}

const isKnown = ({ pack, due }: Context, jobId: string): boolean =>
  pack.has(jobId) || due.has(jobId);

/** The order in an event that names the job, too. */
const orderOf = ({ jobId, ...order }: Order & { jobId: string }) => ({ jobId, order });

const left = <Why extends 'fenced' | 'spent'>({ actorId, error }: Fall, why: Why) => ({
  jobId: actorId,
  why,
  error,
});

const note = (jobId: string, decided: { decision: string; why: string; evidence?: object }) => ({
  jobId,
  dog: 'bigDogDog',
  decision: decided.decision,
  why: decided.why,
  evidence: { ...decided.evidence },
});
