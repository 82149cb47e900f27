import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSet, setDirectory, setNames } from '../../support/origin/mediaSet.ts';

const sha256 = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

/** So that the repository stays quick to clone. */
const ALL_SETS_BYTES_MAX = 3_000_000;

test.each(setNames())('the files of set %s are those that its description names', async (name) => {
  const set = await loadSet(name);
  expect(set.bodies.map(sha256)).toEqual(set.segments.map((segment) => segment.sha256));
  expect(set.bodies.map((body) => body.length)).toEqual(set.segments.map(({ bytes }) => bytes));
  if (set.initBody !== undefined) expect(sha256(set.initBody)).toBe(set.init?.sha256);
  const whole = set.container === 'ts' ? 0x47 : undefined;
  for (const body of set.bodies) {
    if (whole !== undefined) expect([body[0], body.length % 188]).toEqual([whole, 0]);
  }
});

test.each(setNames())('no packet of set %s occurs twice', async (name) => {
  const { segments } = await loadSet(name);
  const hashes = segments.flatMap(({ video, audio }) => [...video, ...audio]);
  expect(new Set(hashes).size).toBe(hashes.length);
  for (const { video, audio } of segments) {
    expect(video).toHaveLength(25);
    expect(audio.length).toBeGreaterThan(40);
  }
});

test('all sets together stay small', () => {
  const files = setNames().flatMap((name) =>
    readdirSync(setDirectory(name)).map((file) => statSync(join(setDirectory(name), file)).size),
  );
  expect(files.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(ALL_SETS_BYTES_MAX);
});
