import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { destinationError } from '../../../src/storage/destinationError.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  ['ENOSPC', 'disk.full', true],
  ['EDQUOT', 'disk.full', true],
  ['EROFS', 'destination.unwritable', false],
  ['EACCES', 'destination.unwritable', false],
  ['EIO', 'destination.unwritable', true],
  ['EEXIST', 'destination.conflict', false],
])('%s at the destination is %s', (system, code, retryable) => {
  const error = destinationError(failure(system), 'write', '/films/a.mp4');
  expect(error).toMatchObject({ code, retryable, details: { path: '/films/a.mp4', system } });
});

test('a write that really finds no space is named as a full disk', async () => {
  const error: unknown = await writeFile('/dev/full', 'x').catch((reason: unknown) => reason);
  expect(destinationError(error, 'write', '/dev/full').code).toBe('disk.full');
});
