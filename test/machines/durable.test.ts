import { expect, test } from 'vitest';
import { assign, createActor, createMachine } from 'xstate';
import { type Change, durable } from '../../machines/supervision/durable.ts';

const light = createMachine({
  types: {} as {
    context: { presses: number };
    events: { type: 'press' } | { type: 'look' } | { type: 'blink' };
  },
  context: { presses: 0 },
  initial: 'off',
  on: { look: { actions: 'looked' } },
  states: {
    off: { on: { press: { target: 'on', actions: assign({ presses: 1 }) }, blink: 'blinking' } },
    on: { entry: 'lit', on: { press: 'off', blink: 'blinking' } },
    blinking: { entry: 'blinked', on: { press: 'on' } },
  },
});

const setup = (options: { gated?: boolean } = {}) => {
  const world: string[] = [];
  const changes: string[] = [];
  const settle: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const provided = light.provide({
    actions: {
      lit: () => world.push('lit'),
      looked: () => world.push('looked'),
      blinked: () => world.push('blinked'),
    },
  });
  type Fact = 'off' | 'on';
  const machine = durable<typeof light, Fact>(provided, {
    fact: ({ value }) => (value === 'on' || value === 'off' ? value : undefined),
    isGated: () => options.gated ?? true,
    commit: ({ previous, fact }: Change<typeof light, Fact>) => {
      changes.push(`${previous} ${fact}`);
      return new Promise<void>((resolve, reject) => settle.push({ resolve, reject }));
    },
  });
  const actor = createActor(machine);
  const errors: unknown[] = [];
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  const committed = async () => {
    settle.shift()?.resolve();
    await new Promise(setImmediate);
  };
  return { actor, world, changes, settle, errors, committed };
};

test('neither an observer nor the world sees a state before it is on disk', async () => {
  const { actor, world, committed } = setup();
  actor.send({ type: 'press' });
  expect(actor.getSnapshot().value).toBe('off');
  expect(actor.getSnapshot().context.presses).toBe(0);
  expect(world).toEqual([]);
  await committed();
  expect(actor.getSnapshot().value).toBe('on');
  expect(world).toEqual(['lit']);
});

test('events that arrive during a commit wait, and keep their order', async () => {
  const { actor, world, changes, committed } = setup();
  actor.send({ type: 'press' });
  actor.send({ type: 'look' });
  actor.send({ type: 'press' });
  expect(changes).toEqual(['undefined on']);
  await committed();
  expect(world).toEqual(['lit', 'looked']);
  expect(changes).toEqual(['undefined on', 'on off']);
  await committed();
  expect(actor.getSnapshot().value).toBe('off');
});

test('a state without a fact of its own is passed through without a commit', async () => {
  const { actor, world, changes, committed } = setup();
  actor.send({ type: 'press' });
  await committed();
  actor.send({ type: 'blink' });
  expect(world).toEqual(['lit', 'blinked']);
  actor.send({ type: 'press' });
  expect(actor.getSnapshot().value).toBe('on');
  expect(changes).toEqual(['undefined on']);
});

test('a change that is not gated is felt at once and written behind', () => {
  const { actor, world, changes } = setup({ gated: false });
  actor.send({ type: 'press' });
  expect(actor.getSnapshot().value).toBe('on');
  expect(world).toEqual(['lit']);
  expect(changes).toEqual(['undefined on']);
});

test('a refused commit fails the actor, and the change never happens', async () => {
  const { actor, world, settle, errors } = setup();
  actor.send({ type: 'press' });
  settle.shift()?.reject(new Error('fenced'));
  await new Promise(setImmediate);
  expect(errors).toEqual([new Error('fenced')]);
  expect(world).toEqual([]);
});

test('stopping during a commit drops the change and its effects', async () => {
  const { actor, world, committed } = setup();
  actor.send({ type: 'press' });
  actor.stop();
  await committed();
  expect(world).toEqual([]);
});
