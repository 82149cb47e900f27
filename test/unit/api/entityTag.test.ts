import { expect, test } from 'vitest';
import { entityTag, isTagIn, versionWanted } from '../../../src/api/entityTag.ts';

test('a tag changes with the row and with anything that is shown', () => {
  const tag = entityTag(7, { id: 'a', bytes: 1 });
  expect(tag).toMatch(/^"7-[0-9a-f]{16}"$/);
  expect(entityTag(7, { id: 'a', bytes: 1 })).toBe(tag);
  expect(entityTag(7, { id: 'a', bytes: 2 })).not.toBe(tag);
  expect(entityTag(8, { id: 'a', bytes: 1 })).not.toBe(tag);
});

test('If-None-Match compares weakly, in lists too', () => {
  expect(isTagIn('"7-a"', '"7-a"')).toBe(true);
  expect(isTagIn('"7-a"', 'W/"7-a"')).toBe(true);
  expect(isTagIn('"7-a"', '"6-a", W/"7-a"')).toBe(true);
  expect(isTagIn('"7-a"', '*')).toBe(true);
  expect(isTagIn('"7-a"', '"7-b"')).toBe(false);
  expect(isTagIn('"7-a"', '7-a')).toBe(false);
});

test('If-Match compares strongly, and by the version alone', () => {
  expect(versionWanted(undefined)).toBeUndefined();
  expect(versionWanted('*')).toBeUndefined();
  expect(versionWanted(entityTag(7, {}))).toBe(7);
  expect(versionWanted('"7-aa", "7-bb"')).toBe(7);
  for (const refused of ['W/"7-aa"', '7-aa', '"x"', '', '"7-aa", "8-aa"', '"9999999999999999-aa"'])
    expect(() => versionWanted(refused)).toThrow(
      expect.objectContaining({ code: 'precondition.failed' }),
    );
});
