import { expect, test } from 'vitest';
import { type AnyActorRef, createActor, createMachine, stopChild } from 'xstate';
import { ownTimers } from '../../machines/supervision/ownTimers.ts';
import { SimClock } from '../simulation/simClock.ts';

const waiting = createMachine({
  initial: 'waiting',
  states: { waiting: { after: { 1000: 'done' } }, done: {} },
});

const parent = createMachine({
  types: {} as { events: { type: 'part'; child: AnyActorRef } },
  on: { part: { actions: stopChild(({ event }) => event.child) } },
});

/** A parent with many children that wait, and how often a look at any timer was needed when one child stopped. */
const setup = (withOwnTimers: boolean) => {
  const clock = new SimClock();
  let cleared = 0;
  const root = createActor(parent, {
    clock: {
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs) as never,
      clearTimeout: (timer) => {
        cleared += 1;
        clock.clearTimeout(timer);
      },
    },
  });
  if (withOwnTimers) ownTimers(root.system);
  root.start();
  const children = Array.from({ length: 50 }, (_, index) =>
    createActor(waiting, { id: `c${index}`, parent: root }).start(),
  );
  const stop = (child: AnyActorRef | undefined) => child && root.send({ type: 'part', child });
  return { clock, children, stop, cleared: () => cleared };
};

test('timers fire for the actor that set them, and not once it has stopped', () => {
  const { clock, children, stop } = setup(true);
  const [first, second] = children;
  stop(first);
  while (clock.step());
  expect(first?.getSnapshot().value).toBe('waiting');
  expect(second?.getSnapshot().value).toBe('done');
});

test('stopping an actor clears its own timers and leaves no other to be looked at', () => {
  const { clock, children, stop, cleared } = setup(true);
  const before = cleared();
  stop(children[0]);
  expect(cleared() - before).toBe(1);
  expect(clock.pending).toBe(children.length - 1);
});

test("XState's own scheduler keeps the timers of all actors in one table, which each stop walks", () => {
  const clock = new SimClock();
  const root = createActor(createMachine({}), { clock: clock as never }).start();
  for (let index = 0; index < 50; index++)
    createActor(waiting, { id: `c${index}`, parent: root }).start();
  // The hole itself: one table for everybody. When XState changes this, the wrapper can go.
  const { _snapshot: snapshot } = root.system as unknown as {
    _snapshot: { _scheduledEvents: Record<string, unknown> };
  };
  expect(Object.keys(snapshot._scheduledEvents)).toHaveLength(50);
});
