import { expect, test } from 'vitest';
import { Bell } from '../../../src/core/bell.ts';
import { movedClock } from '../hls/transportServer.ts';

function setup() {
  const clock = movedClock();
  const bell = new Bell();
  const heard: string[] = [];
  const wait = async (name: string) => {
    await bell.wait(clock, 1_000);
    heard.push(name);
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, bell, heard, wait, settled };
}

test('whoever waits is woken when it rings, and hears one ring once', async () => {
  const { clock, bell, heard, wait, settled } = setup();
  const first = wait('first');
  bell.ring();
  bell.ring();
  await first;
  void wait('second');
  await settled();
  expect(heard).toEqual(['first']);
  clock.move(1_000);
  await settled();
  expect(heard).toEqual(['first', 'second']);
});

test('what rang while nobody waited is heard at once, however often it rang', async () => {
  const { bell, heard, wait, settled } = setup();
  bell.ring();
  bell.ring();
  await wait('first');
  void wait('second');
  await settled();
  expect(heard).toEqual(['first']);
});

test('nothing of a wait is left when its time is over: a ring after it is for the next who waits', async () => {
  const { clock, bell, heard, wait, settled } = setup();
  const first = wait('first');
  clock.move(999);
  await settled();
  expect(heard).toEqual([]);
  clock.move(1);
  await first;
  bell.ring();
  await wait('second');
  expect(heard).toEqual(['first', 'second']);
});
