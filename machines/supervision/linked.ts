import type { AnyActorRef, AnyStateMachine, SnapshotFrom } from 'xstate';

/**
 * Links a machine to its children, as Erlang links processes: when it throws, they go with it.
 * XState (5.33) leaves the children of a machine that throws running, out of anybody's reach.
 *
 * @param children names the children where the machine keeps them outside its snapshot.
 */
export function linked<M extends AnyStateMachine>(
  machine: M,
  children: (snapshot: SnapshotFrom<M>) => Iterable<AnyActorRef> = invoked,
): M {
  const transition: M['transition'] = (snapshot, event, scope) => {
    const stopChildren = () => {
      for (const child of children(snapshot as SnapshotFrom<M>)) scope.stopChild(child);
    };
    try {
      if (event.type === 'xstate.stop') stopChildren();
      return machine.transition(snapshot, event, scope);
    } catch (error) {
      stopChildren();
      throw error;
    }
  };
  return Object.assign(Object.create(machine), { transition });
}

const invoked = (snapshot: { children: Record<string, AnyActorRef> }): AnyActorRef[] =>
  Object.values(snapshot.children);
