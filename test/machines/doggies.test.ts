import { expect, test } from 'vitest';
import { type AnyStateMachine, createActor } from 'xstate';
import { durationDoggy } from '../../machines/durationDoggy.ts';
import { heartbeatDoggy } from '../../machines/heartbeatDoggy.ts';
import { tempFileDoggy } from '../../machines/tempFileDoggy.ts';
import { setupPorts } from './ports.ts';

const setup = (
  doggy: (ports: ReturnType<typeof setupPorts>['ports']) => AnyStateMachine,
  input: object,
) => {
  const bundle = setupPorts();
  bundle.world.beats = 0;
  const actor = createActor(doggy(bundle.ports), { input, clock: bundle.clock as never });
  actor.start();
  return { ...bundle, actor, barks: () => actor.getSnapshot().status === 'done' };
};

test('durationDoggy barks when the time is up, and not a moment before', async () => {
  const { pass, barks } = setup(durationDoggy, { until: 10_000 });
  await pass(9_999);
  expect(barks()).toBe(false);
  await pass(1);
  expect(barks()).toBe(true);
});

test('durationDoggy waits for months without barking early', async () => {
  const months = 90 * 24 * 3_600_000;
  const { pass, barks } = setup(durationDoggy, { until: months });
  await pass(months - 1);
  expect(barks()).toBe(false);
  await pass(1);
  expect(barks()).toBe(true);
});

test('durationDoggy never barks where nobody set an end', async () => {
  const { pass, barks } = setup(durationDoggy, { until: Number.POSITIVE_INFINITY });
  await pass(200 * 24 * 3_600_000);
  expect(barks()).toBe(false);
});

test('heartbeatDoggy barks after as many silent looks as it has patience', async () => {
  const { pass, barks, actor } = setup(heartbeatDoggy, { jobId: 'rex' });
  await pass(2_999);
  expect(barks()).toBe(false);
  await pass(1);
  expect(barks()).toBe(true);
  expect(actor.getSnapshot().output).toEqual({ misses: 3, silentMs: 3_000, beats: 0 });
});

test('heartbeatDoggy forgives earlier misses once it hears a beat', async () => {
  const { pass, barks, world } = setup(heartbeatDoggy, { jobId: 'rex' });
  await pass(2_500);
  world.beats = 7;
  await pass(2_500);
  expect(barks()).toBe(false);
});

test('heartbeatDoggy takes a new recorder that counts from nought for alive', async () => {
  const { pass, barks, world } = setup(heartbeatDoggy, { jobId: 'rex' });
  world.beats = 500;
  await pass(1_500);
  for (world.beats = 1; world.beats < 6; world.beats++) await pass(1_000);
  expect(barks()).toBe(false);
});

test('tempFileDoggy barks at the first look that finds a stray file, and says which', async () => {
  const { pass, barks, world, actor } = setup(tempFileDoggy, { jobId: 'rex' });
  await pass(5_000);
  expect(barks()).toBe(false);
  world.stray = { sign: 'temp', file: 'show.temp.mp4' };
  await pass(1_000);
  expect(actor.getSnapshot().output).toEqual({ sign: 'temp', file: 'show.temp.mp4' });
});
