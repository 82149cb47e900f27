import type { AnyStateMachine } from 'xstate';

const REPORT = /^xstate\.(done|error)\.actor\./;

/**
 * Children report as `child.done` and `child.error`, whatever their ids. XState (5.33) caches every event type that it
 * meets, for ever, and each child's report is a type of its own: a supervisor of many short-lived children would leak.
 */
export function reporting<M extends AnyStateMachine>(machine: M): M {
  const transition: M['transition'] = (snapshot, event, scope) => {
    const kind = REPORT.exec(event.type)?.[1];
    return machine.transition(snapshot, kind ? { ...event, type: `child.${kind}` } : event, scope);
  };
  return Object.assign(Object.create(machine), { transition });
}
