import type { ActorSystem, AnyActorRef, AnyEventObject } from 'xstate';

/** The part of XState's system that delivers a delayed event. It is internal: the exact version is pinned for its sake. */
interface Relay {
  _relay(source: AnyActorRef, target: AnyActorRef, event: AnyEventObject): void;
}

/**
 * Gives every actor a table of its own timers. XState (5.33) keeps one for the whole system and walks all of it whenever
 * an actor stops, which makes a storm of exits quadratic.
 */
// biome-ignore lint/suspicious/noExplicitAny: a system's type parameter lists its named actors; none matter here
export function ownTimers(system: ActorSystem<any> & Partial<Relay>): void {
  const tables = new WeakMap<AnyActorRef, Map<string, unknown>>();
  const { scheduler, _clock: clock } = system;
  const relay = system as unknown as Relay;
  let unnamed = 0;

  const tableOf = (source: AnyActorRef): Map<string, unknown> => {
    const known = tables.get(source);
    if (known) return known;
    const table = new Map<string, unknown>();
    tables.set(source, table);
    return table;
  };
  // biome-ignore lint/complexity/useMaxParams: the signature is XState's
  scheduler.schedule = (source, target, event, delayMs, id = `unnamed.${unnamed++}`) => {
    const table = tableOf(source);
    clock.clearTimeout(table.get(id));
    const fire = () => {
      table.delete(id);
      relay._relay(source, target, event);
    };
    table.set(id, clock.setTimeout(fire, delayMs));
  };
  scheduler.cancel = (source, id) => {
    const table = tableOf(source);
    clock.clearTimeout(table.get(id));
    table.delete(id);
  };
  scheduler.cancelAll = (source) => {
    for (const timer of tableOf(source).values()) clock.clearTimeout(timer);
    tables.delete(source);
  };
}
