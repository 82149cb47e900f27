import { expect, test } from 'vitest';
import { percentDecoded } from '../../../src/core/percentDecoded.ts';

test('what was encoded is decoded, and what was not encoded well is taken as it stands', () => {
  expect(percentDecoded('p%40ss%2Fw%C3%B6rd')).toBe('p@ss/wörd');
  expect(percentDecoded('100%')).toBe('100%');
  expect(percentDecoded('%ff%40')).toBe('%ff%40');
});
