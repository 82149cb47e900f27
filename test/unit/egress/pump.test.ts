import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
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
  const from = new PassThrough();
  const taken: string[] = [];
  let take = () => {};
  const to = new Writable({
    highWaterMark: 1,
    write: (bytes: Buffer, _encoding, done) => {
      taken.push(bytes.toString());
      take = done;
    },
  });
  pump({ from, to, ...free });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  for (const text of ['one', 'two', 'three']) {
    from.write(text);
    await turn();
  }
  expect([taken, to.writableLength, from.isPaused()]).toEqual([['one'], 3, true]);
  for (let time = 0; time < 3; time++) {
    take();
    await turn();
  }
  from.end();
  await once(to, 'finish');
  expect(taken).toEqual(['one', 'two', 'three']);
});
