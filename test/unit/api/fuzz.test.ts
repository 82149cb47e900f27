import { expect, test } from 'vitest';
import { fuzzApi } from '../../support/api/fuzz.ts';

test('every operation answers what its schema describes, and what it does not, as the document promises', async () => {
  const { answers, requests } = await fuzzApi({ cases: 8, seed: 42 });
  expect(requests).toBeGreaterThan(0);
  // Requests get through to where something is done, and not only as far as validation.
  expect(answers['POST /api/v1/keys 201']).toBeGreaterThan(0);
  expect(answers['POST /api/v1/keys 400']).toBeGreaterThan(0);
});
