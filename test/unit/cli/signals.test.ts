import { expect, onTestFinished, test } from 'vitest';
import { listenForSignals } from '../../../src/cli/run/signals.ts';

test("whoever hears the second signal too sees that somebody listens, and a third one is nobody's", async () => {
  const signals = listenForSignals(['SIGHUP']);
  const listening: number[] = [];
  const other = () => void listening.push(process.listenerCount('SIGHUP'));
  process.on('SIGHUP', other);
  onTestFinished(() => {
    process.off('SIGHUP', other);
    signals.stop();
  });
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGHUP', 'SIGHUP');
  expect(listening).toEqual([2, 2]);
  await expect(signals.second).resolves.toBe('SIGHUP');
  await new Promise((resolve) => setImmediate(resolve));
  expect(process.listeners('SIGHUP')).toEqual([other]);
  expect(signals.exitCode()).toBe(129);
});
