import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { bootMoment, msSince } from '../../../src/core/bootMoment.ts';

const MODULE = new URL('../../../src/core/bootMoment.ts', import.meta.url).href;

test.skipIf(process.platform !== 'linux')('two processes agree on the moment', () => {
  const before = bootMoment();
  const script = `import { bootMoment } from '${MODULE}'; console.log(JSON.stringify(bootMoment()))`;
  const there = JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }));
  const after = bootMoment();
  expect(there.boot).toBe(before?.boot);
  expect(there.ms).toBeGreaterThanOrEqual(before?.ms ?? Number.NaN);
  expect(there.ms).toBeLessThanOrEqual(after?.ms ?? Number.NaN);
});

test('of another boot, or of a later moment, nothing can be told', () => {
  const then = { boot: 'one', ms: 1_000 };
  expect(msSince(then, { boot: 'one', ms: 5_000 })).toBe(4_000);
  expect(msSince(then, { boot: 'two', ms: 5_000 })).toBeUndefined();
  expect(msSince(then, { boot: 'one', ms: 500 })).toBeUndefined();
  expect(msSince(then, undefined)).toBeUndefined();
});
