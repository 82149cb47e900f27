import { expect, test } from 'vitest';
import { type AnyStateMachine, createActor } from 'xstate';
import { durationDoggy } from '../../machines/durationDoggy.ts';
import { heartbeatDoggy } from '../../machines/heartbeatDoggy.ts';
import { tempFileDoggy } from '../../machines/tempFileDoggy.ts';
import { setupPorts } from './ports.ts';
import { grown, LIVELY, NEWBORN } from './programSigns.ts';

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
  const { pass, barks, actor } = setup(durationDoggy, {
    jobId: 'rex',
    until: 10_000,
    durationMs: 10_000,
    endAt: Number.POSITIVE_INFINITY,
  });
  await pass(9_999);
  expect(barks()).toBe(false);
  await pass(1);
  expect(barks()).toBe(true);
  expect(actor.getSnapshot().output).toEqual({ by: 'clock', overdueMs: 0 });
});

test('durationDoggy waits for months without barking early', async () => {
  const months = 90 * 24 * 3_600_000;
  const { pass, barks, world } = setup(durationDoggy, {
    jobId: 'rex',
    until: months,
    durationMs: months,
    endAt: Number.POSITIVE_INFINITY,
  });
  world.beats = 1;
  await pass(months - 1);
  expect(barks()).toBe(false);
  await pass(1);
  expect(barks()).toBe(true);
});

test('durationDoggy never barks where nobody set an end', async () => {
  const { pass, barks } = setup(durationDoggy, {
    jobId: 'rex',
    until: Number.POSITIVE_INFINITY,
    durationMs: Number.POSITIVE_INFINITY,
    endAt: Number.POSITIVE_INFINITY,
  });
  await pass(200 * 24 * 3_600_000);
  expect(barks()).toBe(false);
});

const untilNoon = {
  jobId: 'rex',
  until: Number.POSITIVE_INFINITY,
  durationMs: Number.POSITIVE_INFINITY,
  endAt: 3_600_000,
};

test('durationDoggy barks at the time of day that was asked for, and not a moment before', async () => {
  const { pass, barks, actor } = setup(durationDoggy, untilNoon);
  await pass(3_599_999);
  expect(barks()).toBe(false);
  await pass(1);
  expect(actor.getSnapshot().output).toEqual({ by: 'endAt', overdueMs: 0 });
});

test('a wall clock that is set forward beyond the end makes durationDoggy bark within seconds', async () => {
  const { pass, barks, world, clock } = setup(durationDoggy, untilNoon);
  await pass(60_000);
  world.stepMs = 3_600_000;
  await pass(10_000);
  expect(barks()).toBe(true);
  expect(clock.pending).toBe(0);
});

test('a wall clock that is set back makes durationDoggy wait for as much longer', async () => {
  const { pass, barks, world } = setup(durationDoggy, untilNoon);
  await pass(60_000);
  world.stepMs = -600_000;
  await pass(4_200_000 - 60_001);
  expect(barks()).toBe(false);
  await pass(1);
  expect(barks()).toBe(true);
});

test('durationDoggy forgets the end that it was told before when it is told of another one', async () => {
  const { pass, barks, actor } = setup(durationDoggy, untilNoon);
  actor.send({ type: 'end.set', ...untilNoon, endAt: Number.POSITIVE_INFINITY, until: 7_000_000 });
  await pass(6_999_999);
  expect(barks()).toBe(false);
  await pass(1);
  expect(actor.getSnapshot().output).toEqual({ by: 'clock', overdueMs: 0 });
});

test('durationDoggy looks at the media anew when it is told of a duration late', async () => {
  const { pass, world, actor, barks } = setup(durationDoggy, untilNoon);
  world.beats = 3;
  await pass(100_000);
  actor.send({ type: 'end.set', ...untilNoon, durationMs: 60_000 });
  world.program = { ...NEWBORN, recordedMs: 61_000 };
  await pass(1_000);
  expect(barks()).toBe(true);
});

test('durationDoggy barks when a program has brought as much media as was asked for', async () => {
  const { pass, world, actor, barks } = setup(durationDoggy, {
    jobId: 'rex',
    until: 60_000,
    durationMs: 60_000,
    endAt: Number.POSITIVE_INFINITY,
  });
  await pass(1_200);
  world.program = { ...NEWBORN, recordedMs: 59_999 };
  await pass(2_000);
  expect(barks()).toBe(false);
  world.program = { ...NEWBORN, recordedMs: 61_000 };
  await pass(500);
  const output = { by: 'media', recordedMs: 61_000, durationMs: 60_000 };
  expect(actor.getSnapshot().output).toEqual(output);
});

test('durationDoggy is not misled by the numbers of the recorder before', async () => {
  const { pass, world, barks } = setup(durationDoggy, {
    jobId: 'rex',
    until: 3_600_000,
    durationMs: 3_600_000,
    endAt: Number.POSITIVE_INFINITY,
  });
  world.beats = 3;
  await pass(2_500);
  world.program = { ...NEWBORN, recordedMs: 4_000_000 };
  await pass(600);
  expect(barks()).toBe(true);
});

test('durationDoggy asks no more about media once it knows that the recorder is no program', async () => {
  const { pass, world, ports, clock } = setup(durationDoggy, {
    jobId: 'rex',
    until: 3_600_000,
    durationMs: 3_600_000,
    endAt: Number.POSITIVE_INFINITY,
  });
  world.beats = 3;
  await pass(5_000);
  let looks = 0;
  ports.leash.progress = () => {
    looks += 1;
    return { beats: 1, bytes: 0, advertised: 0, settled: 0 };
  };
  await pass(3_000_000);
  expect(looks).toBe(0);
  expect(clock.pending).toBe(1);
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

/** A program that lives on while time passes: told as a host tells it. */
const passWith = async (
  { world, pass }: Pick<ReturnType<typeof setupPorts>, 'world' | 'pass'>,
  ms: number,
  growth: object,
) => {
  for (let passed = 0; passed < ms; passed += 500) {
    world.program = grown(world.program ?? NEWBORN, 500, growth);
    await pass(500);
  }
};

test('heartbeatDoggy judges a program by its signs, whatever it beats, and says what stood still', async () => {
  const bundle = setup(heartbeatDoggy, { jobId: 'rex' });
  await passWith(bundle, 60_000, LIVELY);
  expect(bundle.barks()).toBe(false);
  bundle.world.beats = undefined;
  await passWith(bundle, 14_500, {});
  expect(bundle.barks()).toBe(false);
  await passWith(bundle, 1_500, {});
  expect(bundle.actor.getSnapshot().output).toMatchObject({
    program: { word: 'hung', limitMs: 15_000, signs: { run: 1, mediaMs: 60_000 } },
  });
});

test('heartbeatDoggy knows a frozen program after two looks', async () => {
  const bundle = setup(heartbeatDoggy, { jobId: 'rex' });
  await passWith(bundle, 10_000, LIVELY);
  bundle.world.program = { ...(bundle.world.program ?? NEWBORN), isFrozen: true };
  await passWith(bundle, 1_000, {});
  expect(bundle.actor.getSnapshot().output).toMatchObject({ program: { word: 'frozen' } });
});

test('heartbeatDoggy takes the limits of the job', async () => {
  const bundle = setup(heartbeatDoggy, { jobId: 'rex', watch: { staleMs: 2_000 } });
  await passWith(bundle, 10_000, LIVELY);
  await passWith(bundle, 3_000, {});
  const output = { program: { word: 'hung', limitMs: 2_000 } };
  expect(bundle.actor.getSnapshot().output).toMatchObject(output);
});

test('heartbeatDoggy barks when nothing is told of a program any more, as with a native recorder', async () => {
  const bundle = setup(heartbeatDoggy, { jobId: 'rex' });
  await passWith(bundle, 10_000, LIVELY);
  await bundle.pass(2_400);
  expect(bundle.barks()).toBe(false);
  await bundle.pass(1_200);
  expect(bundle.actor.getSnapshot().output).toEqual({ misses: 6, silentMs: 3_000, beats: 0 });
});

test('heartbeatDoggy lets a program of which nothing is expected be silent', async () => {
  const bundle = setup(heartbeatDoggy, { jobId: 'rex' });
  await passWith(bundle, 10_000, LIVELY);
  bundle.world.program = { ...(bundle.world.program ?? NEWBORN), isExcused: true };
  await bundle.pass(3_600_000);
  expect(bundle.barks()).toBe(false);
});

test('tempFileDoggy looks at a program often enough that its muxing is known within a second', async () => {
  const { pass, barks, world } = setup(tempFileDoggy, { jobId: 'rex' });
  world.program = NEWBORN;
  await pass(5_000);
  world.stray = { sign: 'child.muxes', file: 'show.mp4' };
  await pass(500);
  expect(barks()).toBe(true);
});

test('tempFileDoggy barks at the first look that finds a stray file, and says which', async () => {
  const { pass, barks, world, actor } = setup(tempFileDoggy, { jobId: 'rex' });
  await pass(5_000);
  expect(barks()).toBe(false);
  world.stray = { sign: 'temp', file: 'show.temp.mp4' };
  await pass(1_000);
  expect(actor.getSnapshot().output).toEqual({ sign: 'temp', file: 'show.temp.mp4' });
});
