import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storable, storableJson } from '../../../src/db/columns.ts';

const anyText = fc.string({
  unit: fc.constantFrom('\0', '\ud800', '\udc00', '\\', 'u0000', '"', 'a', '😀'),
});

test('whatever the text, Postgres can store it, and nothing else in it changes', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const kept = storable(text);
      expect(kept.isWellFormed()).toBe(true);
      expect(kept).not.toContain('\0');
      expect(kept.length).toBe(text.length);
    }),
  );
});

test('texts in JSON, keys included, come back as they would have been stored alone', () => {
  fc.assert(
    fc.property(anyText, anyText, (key, value) => {
      const back = JSON.parse(storableJson({ [key]: [value] }));
      expect(back).toEqual({ [storable(key)]: [storable(value)] });
    }),
  );
});
