import { expect, test } from 'vitest';
import { type AnyActorRef, type AnyStateMachine, createActor, fromCallback, setup } from 'xstate';
import { linked } from '../../machines/supervision/linked.ts';

const family = () => {
  const log: string[] = [];
  const machine = setup({
    types: { events: {} as { type: 'trip' } },
    actors: {
      child: fromCallback(() => {
        log.push('born');
        return () => log.push('stopped');
      }),
    },
    actions: {
      trip: () => {
        throw new Error('tripped');
      },
    },
  }).createMachine({ invoke: { id: 'child', src: 'child' }, on: { trip: { actions: 'trip' } } });
  const run = (logic: AnyStateMachine) => {
    const actor = createActor(logic);
    actor.subscribe({ error: () => log.push('failed') });
    actor.start();
    return actor;
  };
  return { machine, run, log };
};

test('XState leaves the children of a machine that throws running, out of reach of its stop', () => {
  const { machine, run, log } = family();
  const actor = run(machine);
  actor.send({ type: 'trip' });
  actor.stop();
  expect(log).toEqual(['born', 'failed']);
});

test('a linked machine that throws takes its children along', () => {
  const { machine, run, log } = family();
  run(linked(machine)).send({ type: 'trip' });
  expect(log).toEqual(['born', 'stopped', 'failed']);
});

test('a linked machine that is stopped stops the children that it keeps elsewhere', () => {
  const { machine, run, log } = family();
  const pack: AnyActorRef[] = [];
  const actor = run(linked(machine, () => pack));
  const kept = createActor(family().machine, { parent: actor }).start();
  pack.push(kept);
  actor.stop();
  expect(kept.getSnapshot().status).toBe('stopped');
  expect(log).toContain('stopped');
});
