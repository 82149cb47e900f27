import { getEventListeners } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { unlessAborted } from '../../../src/core/unlessAborted.ts';

const why = new Error('nobody waits any more');

function setup() {
  const controller = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const listeners = () => getEventListeners(controller.signal, 'abort').length;
  return { controller, signal: controller.signal, promise, resolve, reject, listeners };
}

test('it ends as the promise does, and leaves nothing on the signal', async () => {
  const good = setup();
  const ended = unlessAborted(good.promise, good.signal);
  expect(good.listeners()).toBe(1);
  good.resolve('there');
  expect(await ended).toBe('there');
  expect(good.listeners()).toBe(0);

  const bad = setup();
  const failed = unlessAborted(bad.promise, bad.signal);
  bad.reject(new Error('not there'));
  await expect(failed).rejects.toThrow('not there');
  expect(bad.listeners()).toBe(0);
});

test('it rejects with the reason of the signal while the promise is still open', async () => {
  const later = setup();
  const waiting = unlessAborted(later.promise, later.signal);
  later.controller.abort(why);
  await expect(waiting).rejects.toBe(why);
  expect(later.listeners()).toBe(0);

  const before = setup();
  before.controller.abort(why);
  await expect(unlessAborted(before.promise, before.signal)).rejects.toBe(why);
  expect(before.listeners()).toBe(0);
});

test('what has settled already is not thrown away for a signal that is aborted', async () => {
  const { controller, signal } = setup();
  controller.abort(why);
  expect(await unlessAborted(Promise.resolve('there'), signal)).toBe('there');
});

test('a promise that rejects after everybody has left is not unhandled', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const { controller, signal, promise, reject } = setup();
  const waiting = unlessAborted(promise, signal);
  controller.abort(why);
  await expect(waiting).rejects.toBe(why);
  reject(new Error('too late'));
  // Node tells of unhandled rejections once the microtasks are done.
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});
