import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { pump } from '../../../src/egress/pump.ts';

const free = { clock: systemClock, passed: () => 0 };

test('a pump hands on the end of a stream that had ended before', async () => {
  const [from, to] = [new PassThrough(), new PassThrough()];
  from.resume().end();
  await once(from, 'end');
  pump({ from, to, ...free });
  expect(to.writableEnded).toBe(true);
});

test('a pump takes no more than is taken from it', async () => {
  const [from, to] = [new PassThrough(), new PassThrough({ highWaterMark: 10 })];
  pump({ from, to, ...free });
  from.write('x'.repeat(20));
  await new Promise((resolve) => setImmediate(resolve));
  expect(from.isPaused()).toBe(true);
  from.write('y');
  await new Promise((resolve) => setImmediate(resolve));
  expect(to.readableLength + to.writableLength).toBe(20);
  from.end();
  let text = '';
  for await (const bytes of to) text += String(bytes);
  expect(text).toBe(`${'x'.repeat(20)}y`);
});
