import type {
  ActorScope,
  AnyActorRef,
  AnyEventObject,
  AnyStateMachine,
  SnapshotFrom,
} from 'xstate';

export interface Change<M extends AnyStateMachine, Fact> {
  readonly next: SnapshotFrom<M>;
  /** The last fact that was handed to `commit`; undefined for the first one of this actor's life. */
  readonly previous: Fact | undefined;
  readonly fact: Fact;
  readonly event: AnyEventObject;
}

export interface Durability<M extends AnyStateMachine, Fact> {
  /** What must be on disk. Undefined where the state has no fact of its own: the last one stands. */
  fact(snapshot: SnapshotFrom<M>): Fact | undefined;
  /** Whether the world must wait for this change to be on disk. Where not, it is written behind, in order. */
  isGated(change: Change<M, Fact>): boolean;
  /** Writes the new fact, after all earlier ones. Rejects only when this actor has lost the right to write. */
  commit(change: Change<M, Fact>): Promise<unknown>;
}

interface Held {
  readonly next: SnapshotFrom<AnyStateMachine>;
  readonly effects: readonly (() => void)[];
  readonly stash: AnyEventObject[];
}

const COMMITTED = 'durable.committed';
const REFUSED = 'durable.refused';

/**
 * Write-ahead transitions (the semantics of Akka Persistence). When an event would change the machine's fact, the new
 * snapshot and every effect it asks for (spawns, sends, timers, custom actions) wait for the commit; events that arrive
 * meanwhile are stashed. So no observer sees, and no process feels, a state that is not on disk.
 *
 * `assign` runs at once, as part of the pure transition: actions that touch the world must not hide in it.
 */
export function durable<M extends AnyStateMachine, Fact>(
  machine: M,
  { fact, isGated, commit }: Durability<M, Fact>,
): M {
  const holding = new WeakMap<AnyActorRef, Held>();
  const facts = new WeakMap<AnyActorRef, Fact>();

  const release = (self: AnyActorRef, held: Held) => {
    holding.delete(self);
    // Whatever came for one that is at its end comes too late.
    if (held.next.status === 'active') for (const event of held.stash) self.send(event);
    for (const run of held.effects) run();
    return held.next;
  };

  // biome-ignore lint/suspicious/noExplicitAny: the scope's system and emitted events are the wrapped machine's own
  const step = (state: SnapshotFrom<M>, event: AnyEventObject, scope: ActorScope<any, any>) => {
    const self: AnyActorRef = scope.self;
    const effects: (() => void)[] = [];
    const next = machine.transition(state, event, {
      ...scope,
      actionExecutor: (action) => void effects.push(() => scope.actionExecutor(action)),
    }) as SnapshotFrom<M>;
    const previous = facts.get(self);
    const after = fact(next);
    if (after !== undefined && after !== previous && event.type !== 'xstate.stop') {
      facts.set(self, after);
      const change = { next, previous, fact: after, event };
      const gated = isGated(change);
      commit(change).then(
        () => gated && self.send({ type: COMMITTED }),
        (error: unknown) => self.send({ type: REFUSED, error }),
      );
      if (gated) {
        holding.set(self, { next, effects, stash: [] });
        return state;
      }
    }
    for (const run of effects) run();
    return next;
  };

  const transition: M['transition'] = (state, event, scope) => {
    if (event.type === REFUSED) throw (event as AnyEventObject)['error'];
    const held = holding.get(scope.self);
    if (!held || event.type === 'xstate.stop') {
      holding.delete(scope.self);
      return step(state as SnapshotFrom<M>, event, scope);
    }
    if (event.type === COMMITTED) return release(scope.self, held);
    held.stash.push(event);
    return state;
  };
  return Object.assign(Object.create(machine), { transition });
}
