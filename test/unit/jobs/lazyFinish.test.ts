import { expect, test } from 'vitest';
import type { Finish } from '../../../machines/ports.ts';
import { lazyFinish } from '../../../src/jobs/lazyFinish.ts';

const setup = (failures = 0) => {
  const loads: number[] = [];
  const footage = { segments: 3 };
  const finish = lazyFinish(async () => {
    loads.push(loads.length);
    if (loads.length <= failures) throw new Error('a file is missing');
    // Only what is asked for here.
    return { footage: async () => footage } as unknown as Finish;
  });
  return { finish, loads, footage };
};

test('the finish is loaded once, with the first question', async () => {
  const { finish, loads, footage } = setup();
  expect(loads).toEqual([]);
  const answers = await Promise.all([finish.footage('one'), finish.footage('two')]);
  expect([answers, loads]).toEqual([[footage, footage], [0]]);
});

test('a finish that could not be loaded is loaded anew by the next question', async () => {
  const { finish, footage } = setup(1);
  await expect(finish.footage('one')).rejects.toThrow('a file is missing');
  await expect(finish.footage('one')).resolves.toBe(footage);
});
