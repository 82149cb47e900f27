import { expect, test } from 'vitest';
import { type AnyStateMachine, createActor, createMachine } from 'xstate';
import { reporting } from '../../machines/supervision/reporting.ts';

const CHILDREN = 200;
/** A child that is done as soon as it starts. */
const quick = createMachine({ initial: 'done', states: { done: { type: 'final' } } });

/** How many types of reports reach the machine itself: it looks up candidates for each, and keeps them for ever. */
function typesKept(wrap: (machine: AnyStateMachine) => AnyStateMachine): number {
  const asked = new Set<string>();
  const machine = createMachine({ on: { 'child.done': {} } });
  const { transition } = machine;
  machine.transition = function watched(snapshot, event, scope) {
    asked.add(event.type);
    return transition.call(this, snapshot, event, scope);
  };
  const parent = createActor(wrap(machine)).start();
  for (let index = 0; index < CHILDREN; index++)
    createActor(quick, { id: `job-${index}`, parent }).start();
  return [...asked].filter((type) => /job-|child/.test(type)).length;
}

test('every child that reports to a plain machine adds an event type of its own', () => {
  expect(typesKept((machine) => machine)).toBe(CHILDREN);
});

test('children report to a reporting machine under one name', () => {
  expect(typesKept(reporting)).toBe(1);
});

test('a report keeps the name of the child and what it said', () => {
  const heard: unknown[] = [];
  const machine = createMachine({
    on: { 'child.done': { actions: ({ event }) => heard.push(event) } },
  });
  const parent = createActor(reporting(machine)).start();
  parent.send({ type: 'xstate.done.actor.rex', actorId: 'rex', output: 7 });
  expect(heard).toEqual([{ type: 'child.done', actorId: 'rex', output: 7 }]);
});
